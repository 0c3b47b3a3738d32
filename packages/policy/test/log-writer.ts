/**
 * A slow, plain recorder of guarded calls, written from decision 0007 and not from the code that guards use. That code
 * is told of the same calls, so that tests can hold the two against each other.
 */
import {
  type CallEnding,
  type CallRecord,
  canonicalJson,
  compilePlan,
  type Decision,
  decideCall,
  decideRelease,
  decideThrown,
  digest,
  encodeTagged,
  type Mask,
  NOTHING_BEFORE,
  type ParameterNames,
  type Plan,
  type PolicyIdentity,
  type PolicyState,
  RecordWriter,
  type Release,
  recordContext,
  Session,
  type ToolEntry,
} from "d2-core";
import { type LoadedPolicy, loadPolicy } from "../src/index.js";

export const ZEROS = "0".repeat(64);

export type Level = "digests" | "arguments" | "full";

/** A session with the user that it acts for. */
export interface LoggedSession {
  readonly id: string;
  readonly userId: string;
  readonly roles: readonly string[];
  readonly session: Session;
  readonly outer: LoggedSession | undefined;
  readonly mirrored: boolean;
  seen: boolean;
}

/** A call that was allowed. */
export interface LoggedCall {
  readonly correlationId: string;
  readonly of: LoggedSession;
  readonly tool: string;
  readonly id: number;
  readonly entry: ToolEntry;
  readonly args: unknown;
  readonly record: CallRecord;
}

export type LoggedEnding =
  | { readonly returned: unknown }
  | { readonly threw: unknown }
  | { readonly stream: boolean };

interface Policy {
  readonly loaded: LoadedPolicy;
  readonly plan: Plan;
}

/** Guarded calls and their log. */
export class LogWriter {
  readonly lines: string[] = [];
  /** `v` of each line. */
  readonly chain: string[] = [];
  readonly stream: string;
  readonly level: Level;
  readonly tenant: string;
  state: PolicyState = "current";
  #policy: Policy;
  #calls = 0;
  #sessions = 0;
  /** For the recorder of guards alone. */
  readonly #mask: Mask;
  /** What the recorder of guards makes of the same. */
  #recorded = "";
  readonly #recorder: RecordWriter;

  constructor(
    policy: string | object,
    options: { level?: Level; stream?: string; tenant?: string; mask?: Mask } = {},
  ) {
    this.#policy = compiled(policy);
    this.stream = options.stream ?? "stream";
    this.level = options.level ?? "full";
    this.tenant = options.tenant ?? "tenant";
    this.#mask = options.mask ?? [];
    this.#recorder = new RecordWriter(this.stream, { index: 0, v: NOTHING_BEFORE, calls: 0 });
  }

  /** The same log from the recorder of guards. */
  get recorded(): string {
    return this.#recorded;
  }

  /** The whole log. */
  get text(): string {
    return this.lines.map((line) => `${line}\n`).join("");
  }

  get policy(): LoadedPolicy {
    return this.#policy.loaded;
  }

  swap(policy: string | object): void {
    this.#policy = compiled(policy);
  }

  open(userId: string, roles: readonly string[], outer?: LoggedSession, mirrored = false): LoggedSession {
    this.#sessions += 1;
    const session = new Session(outer?.session, mirrored);
    session.id = `session${this.#sessions}`;
    return {
      id: session.id,
      userId,
      roles,
      session,
      outer,
      mirrored,
      seen: false,
    };
  }

  close(of: LoggedSession): void {
    if (!of.session.open) return;
    if (of.seen) {
      this.line(`${of.id}:end`, "INTENT", { session_end: true });
      this.#recorded += this.#recorder.sessionEnd(of.session);
    }
    of.session.close();
  }

  lose(count: number): void {
    this.line(`${this.stream}:lost:${this.#calls + 1}`, "INTENT", { lost_calls: count });
    this.#recorded += this.#recorder.lost(this.#calls + 1, count);
    this.#calls += count;
  }

  /** A call without a user. */
  startWithoutUser(tool: string, args: readonly unknown[]): void {
    const { decision } = decideCall(this.state, undefined, undefined);
    this.#calls += 1;
    this.#record({ tool, args, decision });
    this.#decided(`${this.stream}:${this.#calls}`, undefined, tool, args, decision, {});
  }

  start(
    of: LoggedSession,
    tool: string,
    args: readonly unknown[] = [],
    options: { names?: ParameterNames; within?: LoggedCall | undefined } = {},
  ): LoggedCall | undefined {
    const { names, within } = options;
    const enclosing = within?.id ?? 0;
    const view = this.#policy.plan.view(of.roles);
    const verdict = decideCall(this.state, view, { tool, session: of.session, enclosing, names, args });
    this.#calls += 1;
    const correlationId = `${of.id}:${this.#calls}`;
    const place: { within?: string; around?: CallRecord["around"] } = {};
    if (within !== undefined) place.within = within.correlationId;
    if (!of.seen) {
      const around = aroundOf(of);
      if (around.length > 0) place.around = around;
    }
    const value = argumentsValue(names, args);
    const { decision } = verdict;
    const record = this.#record({ tool, names, args, of, decision, ...place });
    this.#decided(correlationId, of, tool, value, decision, place);
    if (decision.outcome === "deny" || verdict.entry === undefined) return undefined;
    this.line(correlationId, "PROOF", { arguments_digest: digest(encodeTagged(value)) });
    const id = of.session.begin(tool, enclosing);
    of.session.addFacts(verdict.entry.labels);
    return { correlationId, of, tool, id, entry: verdict.entry, args: value, record };
  }

  end(call: LoggedCall, ending: LoggedEnding): void {
    const success = "returned" in ending || ("stream" in ending && ending.stream);
    const output = "returned" in ending ? ending.returned : "stream" in ending ? Symbol.iterator : undefined;
    const shown = "stream" in ending ? { $kind: "object" } : encodeTagged(output);
    const trace = { failure_code: success ? "OK" : "TASK_EXCEPTION", success };
    const data = {
      arguments_digest: digest(encodeTagged(call.args)),
      output_digest: digest(shown),
      trace_digest: digest(trace),
    };
    this.line(call.correlationId, "EXECUTION", data, { observational: { duration_ns: 5 }, trace });
    const release = releaseOf(call, ending);
    if (release !== undefined) this.#release(call, shown, release, endingName(ending));
    this.#recorded += this.#recorder.ended(call.record, {
      success,
      output: "stream" in ending ? new Stream() : output,
      durationNs: 5,
      error: undefined,
      release: release === undefined ? undefined : { ...release, ending: endingName(ending) },
    });
    call.of.session.end(call.id, success && (release === undefined || release.decision.outcome === "allow"));
  }

  /** One line, whatever is in it. */
  line(correlationId: string, kind: string, data: unknown, beside: object = {}): void {
    const event = { correlation_id: correlationId, data, event_kind: kind };
    const index = this.lines.length;
    const prev = this.chain.at(-1) ?? ZEROS;
    const of = digest(event);
    const v = digest({ digest: of, index, prev });
    this.chain.push(v);
    this.lines.push(canonicalJson({ digest: of, event, index, v, ...beside }));
  }

  #record(call: {
    readonly tool: string;
    readonly names?: ParameterNames | undefined;
    readonly args: readonly unknown[];
    readonly of?: LoggedSession;
    readonly decision: Decision;
    readonly within?: string;
    readonly around?: CallRecord["around"];
  }): CallRecord {
    const { tool, names, args, of, decision, within, around } = call;
    const { name: policyId, version: policyVersion, digest: policyDigest } = this.policy;
    // A loaded policy's digest is that of its normalised document.
    const identity = {
      policyId,
      policyVersion,
      policyDigest: policyDigest as PolicyIdentity["policyDigest"],
    };
    const record: CallRecord = {
      context: recordContext(this.tenant, identity, this.level, this.#mask),
      number: this.#calls,
      state: this.state,
      tool,
      names,
      args,
      user: of === undefined ? undefined : { userId: of.userId, roles: of.roles, session: of.session },
      historyLength: of?.session.length ?? 0,
      facts: [...(of?.session.facts ?? [])],
      within,
      around,
      strictSync: false,
      decision,
    };
    this.#recorded += this.#recorder.decided(record);
    return record;
  }

  #decided(
    correlationId: string,
    of: LoggedSession | undefined,
    tool: string,
    args: unknown,
    decision: Decision,
    place: object,
  ): void {
    if (of !== undefined)
      for (let at: LoggedSession | undefined = of; at !== undefined; at = at.outer) at.seen = true;
    const history = of?.session.history ?? [];
    const encoded = encodeTagged(args);
    const inputs = {
      capability: tool,
      ...(of === undefined ? {} : { principal_id: of.userId }),
      intent_type: "tool.call",
      extensions: {
        arguments: this.level === "digests" ? { $digest: digest(encoded) } : encoded,
        facts: [...(of?.session.facts ?? [])].sort(),
        history_digest: history.reduce<string>((before, one) => digest([before, one]), ZEROS),
        history_length: history.length,
        policy_state: this.state,
        roles: [...new Set(of?.roles)].sort(),
      },
    };
    const session = Object.keys(place).length === 0 ? {} : { session: place };
    this.line(correlationId, "INTENT", { ...this.#intent(inputs), ...session });
    this.line(correlationId, "DECISION", this.#decision(decision));
  }

  #release(call: LoggedCall, output: unknown, release: Release, ending: string): void {
    const id = `${call.correlationId}:release`;
    const inputs = {
      capability: call.tool,
      principal_id: call.of.userId,
      intent_type: "tool.release",
      extensions: {
        ending,
        output: this.level === "full" ? output : { $digest: digest(output) },
        policy_state: this.state,
        roles: [...new Set(call.of.roles)].sort(),
      },
    };
    this.line(id, "INTENT", this.#intent(inputs));
    this.line(id, "DECISION", this.#decision(release.decision));
    if (release.decision.outcome === "deny") return;
    const released = release.transforms.length === 0 ? output : encodeTagged(release.value);
    const transforms = release.transforms.map(({ path, action }) => ({ path, action }));
    this.line(id, "PROOF", { released_digest: digest(released), transforms });
  }

  #intent(inputs: object): object {
    return {
      tenant_id: this.tenant,
      policy: { ...this.#identity(), policy_digest: this.policy.digest },
      authoritative_digest: digest(inputs),
      inputs,
    };
  }

  #decision({ outcome, reason, rule, detail }: Decision): object {
    const facts = { ...(rule === undefined ? {} : { rule }), ...(detail === undefined ? {} : { detail }) };
    const message = Object.keys(facts).length === 0 ? {} : { reason_message: canonicalJson(facts) };
    const decision = outcome === "allow" ? "ALLOW" : "DENY";
    return {
      gate: { decision, reason_code: reason, ...message },
      ...this.#identity(),
      tenant_id: this.tenant,
    };
  }

  #identity(): { policy_id: string; policy_version: string } {
    return { policy_id: this.policy.name, policy_version: this.policy.version };
  }
}

function compiled(policy: string | object): Policy {
  const loaded = loadPolicy(policy, { now: 0 });
  return { loaded, plan: compilePlan(loaded.document) };
}

function aroundOf(of: LoggedSession): { id: string; mirrored: boolean }[] {
  const around: { id: string; mirrored: boolean }[] = [];
  let { mirrored } = of;
  for (let outer = of.outer; outer !== undefined; outer = outer.outer) {
    if (!outer.session.open) continue;
    around.push({ id: outer.id, mirrored });
    ({ mirrored } = outer);
  }
  return around;
}

function argumentsValue(names: ParameterNames | undefined, args: readonly unknown[]): unknown {
  if (names === undefined) return args;
  const mapping: { [name: string]: unknown } = Object.create(null);
  for (const [name, position] of names.positions) {
    if (name === names.rest) mapping[`...${name}`] = args.slice(position);
    else mapping[name] = args[position];
  }
  if (names.rest === undefined && args.length > names.count) mapping[""] = args.slice(names.count);
  return mapping;
}

function releaseOf({ entry }: LoggedCall, ending: LoggedEnding): Release | undefined {
  if (entry.output === undefined) return undefined;
  if ("returned" in ending) return decideRelease(entry.output, ending.returned);
  if ("stream" in ending) return { decision: entry.allowed.decision, value: undefined, transforms: [] };
  const decision = decideThrown(entry.output, ending.threw);
  return decision === undefined ? undefined : { decision, value: undefined, transforms: [] };
}

/** Stands for a stream: an object that is no plain data. */
class Stream {}

function endingName(ending: LoggedEnding): NonNullable<CallEnding["release"]>["ending"] {
  return "returned" in ending ? "returned" : "stream" in ending ? "stream" : "thrown";
}

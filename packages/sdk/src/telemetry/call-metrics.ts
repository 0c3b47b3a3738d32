import type { Decision } from "d2-core/call";
import type { Later } from "../setup/expiry-warnings.js";
import { chainOf } from "./denial-fields.js";
import { hashUserId } from "./event-text.js";
import type { Attributes, Histogram, Meter } from "./metric-api.js";
import type { CallObserver, Observation } from "./observation.js";
import { Tally } from "./tally.js";

/** Most calls whose times are kept until they are handed on. Counts are exact beyond that too. */
const MAX_TIMES = 256;

/** Milliseconds after a call until it is handed on. */
const DELAY = 100;

export interface CallMetricsOptions {
  readonly mode: string;
  readonly later: Later;
  /** Undefined: metrics do not tell users apart. */
  readonly users: "plain" | "hashed" | undefined;
}

/** Turns calls into metrics. Within the call it counts in memory; OpenTelemetry is told a little later. */
export class CallMetrics implements CallObserver {
  readonly #mode: string;
  readonly #later: Later;
  readonly #users: CallMetricsOptions["users"];
  readonly #tallies: Readonly<Record<keyof typeof COUNTERS, Tally>>;
  readonly #decisionLatency: Histogram;
  readonly #execLatency: Histogram;
  readonly #guardrailLatency: Histogram;
  readonly #depth: Histogram;
  #decided: Observation[] = [];
  #ended: Observation[] = [];
  #callOff: (() => void) | undefined;

  constructor(meter: Meter, { mode, later, users }: CallMetricsOptions) {
    this.#mode = mode;
    this.#later = later;
    this.#users = users;
    const counter = (name: string) => meter.createCounter(name, { unit: "1" });
    const flows = { counter: counter("d2.data_flow.event.total"), attributes: flowOf };
    const tally = (name: string) => new Tally(counter(name), name === COUNTERS.pair ? flows : undefined);
    const milliseconds = (name: string) => meter.createHistogram(name, { unit: "ms" });
    const tallies = Object.entries(COUNTERS).map(([key, name]) => [key, tally(name)]);
    // `tallies` has an entry for every key.
    this.#tallies = Object.fromEntries(tallies) as Record<keyof typeof COUNTERS, Tally>;
    this.#decisionLatency = milliseconds("d2.authz.decision.latency.ms");
    this.#execLatency = milliseconds("d2.tool.exec.latency.ms");
    this.#guardrailLatency = milliseconds("d2.guardrail.latency.ms");
    this.#depth = meter.createHistogram("d2.call_chain.depth", { unit: "1" });
  }

  decided(call: Observation): void {
    const { decision, tool } = call;
    if (decision.outcome === "deny") this.#denied(decision, call);
    else this.#allowed(call);
    if (call.entry?.input !== undefined) this.#tallies.feature.add("input_validation", featureOf);
    if (this.#decided.length < MAX_TIMES) this.#decided.push(call);
    if (decision.outcome === "deny") this.#tallies.invocation.add(`denied\n${tool}`, invocationOf);
    this.#callOff ??= this.#later(DELAY, this.#drain);
  }

  ended(call: Observation): void {
    const { status, tool, release, entry } = call;
    this.#tallies.invocation.add(status === "success" ? tool : `${status}\n${tool}`, invocationOf);
    if (entry?.output !== undefined) this.#tallies.feature.add("output_guardrails", featureOf);
    if (release?.denial !== undefined) this.#denied(release.denial, call);
    if (this.#ended.length < MAX_TIMES) this.#ended.push(call);
    this.#callOff ??= this.#later(DELAY, this.#drain);
  }

  /** Hands on what is kept. Answers whether there was anything. */
  drain(): boolean {
    if (this.#callOff === undefined) return false;
    this.#callOff();
    this.#callOff = undefined;
    for (const tally of Object.values(this.#tallies)) tally.drain();
    const [decided, ended] = [this.#decided, this.#ended];
    this.#decided = [];
    this.#ended = [];
    for (const call of decided) this.#recordDecision(call);
    for (const call of ended) this.#recordEnd(call);
    return true;
  }

  #allowed({ tool, pair, entry }: Observation): void {
    const tallies = this.#tallies;
    tallies.decision.add(tool, this.#decisionOf);
    if (pair !== undefined) tallies.pair.add(pair, pairOf);
    if (entry === undefined || entry.labels.length === 0) return;
    tallies.feature.add("data_flow_labels", featureOf);
    for (const label of entry.labels) tallies.fact.add(label, factOf);
  }

  #denied(decision: Decision, call: Observation): void {
    const tallies = this.#tallies;
    const { tool } = call;
    const { reason } = decision;
    const mode = this.#mode;
    tallies.decision.add(`denied\n${tool}`, this.#decisionOf);
    tallies.denial.add(reason, () => ({ reason, mode }));
    const violation = VIOLATIONS.get(reason);
    if (violation !== undefined) {
      const user = this.#userOf(call);
      const key = `${violation}\n${user["user_id"] ?? ""}`;
      tallies.violation.add(key, () => ({ ...user, violation_type: violation }));
    }
    if (reason === "missing_policy") tallies.missing.add(tool, () => ({ "d2.tool_id": tool, mode }));
    else if (reason === "no_context") tallies.leak.add("", nothing);
    else if (reason === "strict_sync") tallies.strict.add("", nothing);
    else if (reason === "data_flow_violation") {
      const blocking_label = decision.detail ?? "";
      tallies.blocked.add(`${tool}\n${blocking_label}`, () => ({ tool_id: tool, blocking_label }));
    } else if (reason === "sequence_violation") {
      const { pattern_type, source_tool = "", chain_length, user_role } = chainOf(call);
      const attributes = {
        pattern_type,
        source_tool,
        target_tool: tool,
        chain_length: String(chain_length),
        user_role,
      };
      tallies.sequence.add(JSON.stringify(Object.values(attributes)), () => attributes);
    }
  }

  readonly #drain = (): void => {
    this.drain();
  };

  readonly #decisionOf = (key: string): Attributes => {
    const denied = key.startsWith("denied\n");
    const tool_id = denied ? key.slice(7) : key;
    return { tool_id, result: denied ? "denied" : "allowed", mode: this.#mode };
  };

  #recordDecision(call: Observation): void {
    const { tool: tool_id, decision, entry, depth } = call;
    const result = decision.outcome === "deny" ? "denied" : "allowed";
    const milliseconds = call.decisionMs;
    this.#decisionLatency.record(milliseconds, { tool_id, result, mode: this.#mode });
    this.#guardrailLatency.record(milliseconds, { type: "total_authz_overhead", tool_id });
    if (entry?.input !== undefined && (result === "allowed" || decision.layer === "input")) {
      this.#guardrailLatency.record(milliseconds, { type: "input_validation", tool_id, result });
    }
    if (result === "allowed") {
      this.#depth.record(depth + 1, { ...this.#userOf(call), current_tool: tool_id });
    }
  }

  #recordEnd({ tool: tool_id, status, execMs, release, entry, through }: Observation): void {
    this.#execLatency.record(execMs, { tool_id, status });
    const output = entry?.output;
    if (release === undefined || output === undefined || through === 0) return;
    const result = (type: string, done: string) => (release.denial?.reason === type ? "denied" : done);
    const record = (type: string, done: string) =>
      this.#guardrailLatency.record(release.milliseconds, { type, tool_id, result: result(type, done) });
    if (output.checks.length > 0) record("output_validation", "allowed");
    if (output.acts.length > 0 || !output.global.empty) record("output_sanitization", "completed");
  }

  #userOf({ user }: Observation): Attributes {
    if (this.#users === undefined || user === undefined) return {};
    return { user_id: this.#users === "hashed" ? hashUserId(user.userId) : user.userId };
  }
}

const COUNTERS = {
  decision: "d2.authz.decision.total",
  denial: "d2.authz.denied.reason.total",
  missing: "d2.authz.missing_policy.total",
  invocation: "d2.tool.invocation.total",
  sequence: "d2.sequence.pattern.blocked.total",
  violation: "d2.user.violation_attempts.total",
  pair: "d2.tool.cooccurrence.total",
  blocked: "d2.data_flow.blocked.total",
  fact: "d2.facts.recorded.total",
  feature: "d2.feature.usage.total",
  leak: "d2.context.leak.total",
  strict: "d2.sync_in_async.denied.total",
} as const;

/** What a denial counts as in `d2.user.violation_attempts.total`. */
const VIOLATIONS: ReadonlyMap<string, string> = new Map([
  ["input_validation", "input_validation"],
  ["output_validation", "output_validation"],
  ["output_sanitization", "output_validation"],
  ["sequence_violation", "sequence"],
  ["data_flow_violation", "data_flow"],
]);

const nothing = (): Attributes => ({});

const factOf = (fact: string): Attributes => ({ fact });

const featureOf = (feature: string): Attributes =>
  feature === "data_flow_labels" ? { feature } : { feature, enabled: "true" };

/** No tool id has a line break in it. */
const halves = (key: string): readonly [string, string] => {
  const at = key.indexOf("\n");
  return [key.slice(0, at), key.slice(at + 1)];
};

const invocationOf = (key: string): Attributes => {
  if (!key.includes("\n")) return { tool_id: key, status: "success" };
  const [status, tool_id] = halves(key);
  return { tool_id, status };
};

const pairOf = (key: string): Attributes => {
  const [tool_a, tool_b] = halves(key);
  return { tool_a, tool_b, within_request: "true" };
};

const flowOf = (key: string): Attributes => {
  const [source_tool, destination_tool] = halves(key);
  return { source_tool, destination_tool };
};

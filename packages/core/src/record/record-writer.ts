import { sha256Hex } from "#platform/sha256";
import { canonicalJson, digest, type HexDigest } from "../canonical/canonical-json.js";
import { encodeTagged } from "../canonical/tagged.js";
import type { Decision } from "../decision.js";
import type { Session } from "../session.js";
import { recordedArguments } from "./arguments.js";
import {
  type CallEnding,
  type CallRecord,
  decisionMessage,
  type RecordContext,
  type RecordedValue,
  type ReleaseEnding,
  recordedValue,
  sortedTexts,
} from "./call-record.js";
import { HistoryDigest, NOTHING_BEFORE } from "./history-digest.js";

/** Where a chain of lines stands. */
export interface ChainPosition {
  /** Index of the next line. */
  readonly index: number;
  /** `v` of the last line; 64 zeros before the first. */
  readonly v: HexDigest;
  /** Number of the last call; 0 before the first. */
  readonly calls: number;
}

type EventKind = "INTENT" | "DECISION" | "PROOF" | "EXECUTION";

const TRACES = {
  success: traceOf("OK", true),
  failure: traceOf("TASK_EXCEPTION", false),
};

function traceOf(failureCode: string, success: boolean): RecordedValue {
  const trace = { failure_code: failureCode, success };
  return Object.freeze({ digest: digest(trace), text: canonicalJson(trace) });
}

/**
 * Turns calls into the lines of a decision log, in the order in which it is told of them. The same calls give the same
 * lines, but for durations. INVARIANT: every text here is the canonical JSON of what it says, put together from parts.
 */
export class RecordWriter {
  readonly #stream: string;
  #index: number;
  #v: HexDigest;
  #calls: number;
  readonly #sessions = new WeakMap<Session, HistoryDigest>();
  /** Encoded arguments of the calls that are running. */
  readonly #running = new WeakMap<CallRecord, HexDigest>();

  /** @param stream name of the log's stream, in ASCII without quotes */
  constructor(stream: string, position: ChainPosition) {
    this.#stream = stream;
    this.#index = position.index;
    this.#v = position.v;
    this.#calls = position.calls;
  }

  /** Goes back to where the chain stood: the lines since then were not written. */
  restore({ index, v, calls }: ChainPosition): void {
    this.#index = index;
    this.#v = v;
    this.#calls = calls;
  }

  get position(): ChainPosition {
    return { index: this.#index, v: this.#v, calls: this.#calls };
  }

  /** The correlation id of a call. */
  correlationId({ user, number }: CallRecord): string {
    return correlationId(this.#stream, user?.session, number);
  }

  /** INTENT and DECISION of a call, and, when it is allowed, its PROOF. */
  decided(record: CallRecord): string {
    const { context, decision } = record;
    const id = this.correlationId(record);
    const args = recordedValue(recordedArguments(record.names, record.args), "arguments", context);
    this.#calls = record.number;
    const lines =
      this.#line(id, "INTENT", intentData(context, this.#callInputs(record, args), this.#place(record))) +
      this.#line(id, "DECISION", decisionData(context, decision));
    if (decision.outcome === "deny") return lines;
    this.#running.set(record, args.digest);
    return lines + this.#line(id, "PROOF", `{"arguments_digest":"${args.digest}"}`);
  }

  /** EXECUTION of a call that was allowed, and, where it has output rules, the chain of its release. */
  ended(record: CallRecord, ending: CallEnding): string {
    const { context } = record;
    const id = this.correlationId(record);
    const args = this.#running.get(record) ?? digest(null);
    this.#running.delete(record);
    const output = recordedValue(ending.output, "output", context);
    const trace = ending.success ? TRACES.success : TRACES.failure;
    const data = `{"arguments_digest":"${args}","output_digest":"${output.digest}","trace_digest":"${trace.digest}"}`;
    const error = ending.error === undefined ? "" : `,"error":${canonicalJson(encodeTagged(ending.error))}`;
    const observed = `,"observational":{"duration_ns":${ending.durationNs}${error}},"trace":${trace.text}`;
    return this.#line(id, "EXECUTION", data, observed) + this.#released(record, ending, output);
  }

  #released(record: CallRecord, { release }: CallEnding, output: RecordedValue): string {
    if (release === undefined) return "";
    const { context } = record;
    const id = `${this.correlationId(record)}:release`;
    const lines =
      this.#line(id, "INTENT", intentData(context, releaseInputs(record, output, release.ending), "")) +
      this.#line(id, "DECISION", decisionData(context, release.decision));
    if (release.decision.outcome === "deny") return lines;
    const transforms = canonicalJson(
      release.transforms.map(({ path, action }) => ({ action, path: encodeTagged(path) })),
    );
    const released =
      release.transforms.length === 0 ? output : recordedValue(release.value, "output", context);
    return (
      lines + this.#line(id, "PROOF", `{"released_digest":"${released.digest}","transforms":${transforms}}`)
    );
  }

  /** The end of a session that is in the log. */
  sessionEnd(session: Session): string {
    return this.#line(`${session.id}:end`, "INTENT", '{"session_end":true}');
  }

  /** Calls that were not recorded, of which the first has this number. */
  lost(number: number, count: number): string {
    this.#calls = number + count - 1;
    return this.#line(`${this.#stream}:lost:${number}`, "INTENT", `{"lost_calls":${count}}`);
  }

  #callInputs(record: CallRecord, args: RecordedValue): string {
    const { user } = record;
    const history =
      user === undefined ? NOTHING_BEFORE : this.#historyOf(user.session).upTo(record.historyLength);
    const extensions =
      `{"arguments":${args.text},"facts":${sortedTexts(record.facts)},` +
      `"history_digest":"${history}","history_length":${record.historyLength},` +
      `"policy_state":"${record.state}","roles":${sortedTexts(user?.roles ?? [])}` +
      `${record.strictSync ? ',"strict_sync":true' : ""}}`;
    return inputsText(record, extensions, "tool.call");
  }

  #historyOf(session: Session): HistoryDigest {
    const known = this.#sessions.get(session);
    if (known !== undefined) return known;
    const history = new HistoryDigest(session);
    this.#sessions.set(session, history);
    return history;
  }

  /** Where among sessions and running calls a call is made. */
  #place({ user, within, around }: CallRecord): string {
    if (user === undefined || (within === undefined && around === undefined)) return "";
    const inside = within === undefined ? "" : `"within":${canonicalJson(within)}`;
    if (around === undefined) return `"session":{${inside}},`;
    return `"session":{"around":${canonicalJson(around)}${inside === "" ? "" : `,${inside}`}},`;
  }

  #line(correlation: string, kind: EventKind, data: string, beside = ""): string {
    const event = `{"correlation_id":"${correlation}","data":${data},"event_kind":"${kind}"}`;
    const of = sha256Hex(event);
    const index = this.#index;
    this.#index += 1;
    // SHA-256 in lower-case hex is what the type stands for.
    this.#v = sha256Hex(`{"digest":"${of}","index":${index},"prev":"${this.#v}"}`) as HexDigest;
    return `{"digest":"${of}","event":${event},"index":${index}${beside},"v":"${this.#v}"}\n`;
  }
}

/** The correlation id of a call: the session's id, or without a user the stream's name, and the number of the call. */
export function correlationId(stream: string, session: Session | undefined, number: number): string {
  return `${session?.id ?? stream}:${number}`;
}

function intentData(context: RecordContext, inputs: string, place: string): string {
  return (
    `{"authoritative_digest":"${sha256Hex(inputs)}","inputs":${inputs},"policy":${context.policyText},` +
    `${place}"tenant_id":${context.tenantText}}`
  );
}

function inputsText({ tool, user }: CallRecord, extensions: string, intentType: string): string {
  const principal = user === undefined ? "" : `,"principal_id":${canonicalJson(encodeTagged(user.userId))}`;
  const capability = canonicalJson(encodeTagged(tool));
  return `{"capability":${capability},"extensions":${extensions},"intent_type":"${intentType}"${principal}}`;
}

function releaseInputs(record: CallRecord, output: RecordedValue, ending: ReleaseEnding): string {
  const extensions =
    `{"ending":"${ending}","output":${output.text},"policy_state":"${record.state}",` +
    `"roles":${sortedTexts(record.user?.roles ?? [])}}`;
  return inputsText(record, extensions, "tool.release");
}

function decisionData(context: RecordContext, decision: Decision): string {
  const message = decisionMessage(decision);
  const reason = message === undefined ? "" : `,"reason_message":${canonicalJson(message)}`;
  const outcome = decision.outcome === "allow" ? "ALLOW" : "DENY";
  return `{"gate":{"decision":"${outcome}","reason_code":"${decision.reason}"${reason}},${context.identityText}`;
}

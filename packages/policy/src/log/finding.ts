/** What is wrong with a log, stable for ever. */
export type FindingReason =
  /** A line is no JSON. */
  | "bad_line"
  | "line_too_long"
  | "not_canonical"
  /** A line or an event has not the keys and kinds of values that it must have. */
  | "wrong_shape"
  | "wrong_digest"
  | "wrong_chain"
  | "wrong_index"
  | "wrong_order"
  | "second_decision"
  | "execution_without_allow"
  | "after_deny"
  | "wrong_trace"
  /** `authoritative_digest` is not that of the inputs. */
  | "wrong_inputs"
  /** The digests of the arguments of one call differ. */
  | "wrong_arguments"
  /** The digests of the output of one call differ. */
  | "wrong_output"
  /** A policy's names or digest differ from those of the call, or from those of the policy that was given. */
  | "wrong_policy"
  | "unknown_call"
  | "skipped_call"
  /** `within` names no running call. */
  | "wrong_within"
  | "wrong_stream"
  | "missing_tail"
  | "wrong_head"
  | "bad_signature"
  // Of replay:
  | "wrong_decision"
  /** A session's history has fewer calls, or others, than the log shows. */
  | "wrong_history"
  /** Facts that the session must have are not among the recorded ones. */
  | "missing_facts"
  /** What was let out of a value is not what the policy lets out. */
  | "wrong_release"
  /** The inputs of a decision are not in the encoding that guards write. */
  | "unreadable_inputs"
  | "unknown_session"
  /** A policy that was given cannot be loaded. */
  | "unreadable_policy";

export interface Finding {
  readonly reason: FindingReason;
  /** Of the log, from 1. Absent where it is about no line. */
  readonly line?: number;
  /** Where the chain stood: what the line's index had to be. */
  readonly index?: number;
  readonly correlationId?: string;
  /** A sentence without any recorded value. */
  readonly message: string;
  /** What the log says, where it is a decision: `ALLOW ok`. */
  readonly recorded?: string;
  /** What it had to say. */
  readonly derived?: string;
}

/** Longest correlation id that a finding repeats. */
const MAX_ID = 200;

/** Collects findings: the first ones, and how many there are of each kind. */
export class Findings {
  readonly #max: number;
  readonly #first: Finding[] = [];
  readonly #totals = new Map<FindingReason, number>();

  constructor(max: number) {
    this.#max = max;
  }

  get first(): readonly Finding[] {
    return this.#first;
  }

  /** In the order of first appearance. */
  get totals(): { readonly [reason in FindingReason]?: number } {
    return Object.fromEntries(this.#totals);
  }

  get some(): boolean {
    return this.#totals.size > 0;
  }

  add(finding: Finding): void {
    this.#totals.set(finding.reason, (this.#totals.get(finding.reason) ?? 0) + 1);
    if (this.#first.length >= this.#max) return;
    const { correlationId } = finding;
    this.#first.push(
      correlationId !== undefined && correlationId.length > MAX_ID
        ? { ...finding, correlationId: `${correlationId.slice(0, MAX_ID)}…` }
        : finding,
    );
  }
}

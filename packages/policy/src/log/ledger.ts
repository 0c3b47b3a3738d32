import { canonicalJson, digest } from "d2-core";
import { dropFirst } from "./drop-first.js";
import type { CallIntent, CallKey, Gate, Intent, LogEvent } from "./event.js";
import type { FindingReason } from "./finding.js";

/** A step of what happened, as the events in their right order tell it. */
export type Step =
  | { readonly form: "decided"; readonly key: CallKey; readonly intent: CallIntent; readonly gate: Gate }
  | { readonly form: "executed"; readonly key: CallKey; readonly success: boolean }
  /** The release of the call executed just before was asked for. */
  | { readonly form: "asked"; readonly key: CallKey }
  | { readonly form: "released"; readonly key: CallKey; readonly intent: Intent; readonly gate: Gate }
  | {
      readonly form: "let_out";
      readonly key: CallKey;
      readonly releasedDigest: string;
      readonly transforms: string;
    }
  | { readonly form: "session_end"; readonly session: string }
  | { readonly form: "lost"; readonly count: number };

/** What an event is: a step, no step yet, or out of order. */
export type Entry = Step | "waiting" | { readonly fault: FindingReason; readonly message: string };

/** A call that was allowed and has not ended. */
interface OpenCall {
  readonly id: string;
  readonly intent: CallIntent;
  /** `undefined`: the PROOF has not come. */
  argumentsDigest: string | undefined;
}

/** What must come next, at once. */
type Expected =
  | { readonly part: "decision"; readonly key: CallKey; readonly intent: CallIntent | Intent }
  | { readonly part: "proof"; readonly key: CallKey; readonly outputDigest?: string | undefined };

/** The call that was executed by the last event, which its release may follow. */
interface Executed {
  readonly id: string;
  readonly intent: CallIntent;
  readonly outputDigest: string;
}

/** How many of the calls that are over are remembered, for a more telling word about events that come too late. */
const REMEMBERED = 1024;

const NO_OUTPUT: string = digest({ $undefined: true });
const UNWRITTEN_OUTPUT: string = digest({ $kind: "object" });

/**
 * The order of events: what may come after what. Keeps the calls that are running, and nothing of those that are over,
 * so a call that does not run is told by its number alone.
 */
export class Ledger {
  readonly #maxOpen: number;
  readonly #open = new Map<number, OpenCall>();
  readonly #over = new Map<number, "denied" | "executed">();
  #expected: Expected | undefined;
  #executed: Executed | undefined;
  #calls: number;
  /** Calls up to this number began before the part of the log that is read. */
  readonly #before: number;
  #undecided = 0;
  #unproven = 0;
  #forgotten = 0;

  constructor(calls: number, maxOpen: number) {
    this.#calls = calls;
    this.#before = calls;
    this.#maxOpen = maxOpen;
  }

  get calls(): number {
    return this.#calls;
  }

  /** What was left without its end: a process that was killed, or a call that still runs. */
  get unfinished(): { undecided: number; unproven: number; running: number } {
    const waiting = this.#expected?.part;
    return {
      undecided: this.#undecided + (waiting === "decision" ? 1 : 0),
      unproven: this.#unproven + (waiting === "proof" ? 1 : 0),
      running: this.#open.size + this.#forgotten,
    };
  }

  take(event: LogEvent): Entry {
    const executed = this.#executed;
    this.#executed = undefined;
    const expected = this.#expected;
    this.#expected = undefined;
    if (expected !== undefined) {
      const answer = this.#next(expected, event);
      if (answer !== undefined) return answer;
      if (expected.part === "decision") this.#undecided += 1;
      else this.#unproven += 1;
    }
    switch (event.form) {
      case "call":
        return this.#begin(event.key, event.intent);
      case "release":
        return this.#askRelease(event.key, event.intent, executed);
      case "execution":
        return this.#execute(event);
      case "lost":
        return this.#lose(event.number, event.count);
      case "session_end":
        return { form: "session_end", session: event.session };
      case "decision":
      case "proof":
      case "release_proof":
        return this.#late(event);
    }
  }

  /** The part of a call that must come at once. `undefined`: something else has come. */
  #next(expected: Expected, event: LogEvent): Entry | undefined {
    const { key } = expected;
    if (!("key" in event) || event.key.id !== key.id || event.key.release !== key.release) return undefined;
    if (expected.part === "decision") {
      return event.form === "decision" ? this.#decide(expected, event) : undefined;
    }
    if (event.form === "proof") return this.#prove(key, event.argumentsDigest);
    if (event.form !== "release_proof") return undefined;
    const { releasedDigest, transforms } = event;
    if (transforms === "[]" && releasedDigest !== expected.outputDigest) {
      return {
        fault: "wrong_output",
        message: "nothing was changed, yet what was released is not the output",
      };
    }
    return { form: "let_out", key, releasedDigest, transforms };
  }

  #begin(key: CallKey, intent: CallIntent): Entry {
    const { number } = key;
    if (number <= this.#calls) {
      return {
        fault: "wrong_order",
        message: "a call begins whose number is past: it is there twice, or moved",
      };
    }
    const skipped = number - this.#calls - 1;
    this.#calls = number;
    this.#expected = { part: "decision", key, intent };
    if (skipped > 0) {
      return { fault: "skipped_call", message: `numbers of calls are missing before this one: ${skipped}` };
    }
    const { within } = intent;
    if (within !== undefined && !this.#mayEnclose(within)) {
      return { fault: "wrong_within", message: "the call is made inside of a call that does not run" };
    }
    return "waiting";
  }

  #mayEnclose(within: string): boolean {
    if (/^.+:lost:[1-9][0-9]*$/s.test(within)) return true; // a call that is not in the log
    const number = Number(within.slice(within.lastIndexOf(":") + 1));
    return number <= this.#before || this.#open.get(number)?.id === within;
  }

  #decide(expected: Expected & { part: "decision" }, event: LogEvent & { form: "decision" }): Entry {
    const { key, intent } = expected;
    const { gate } = event;
    if (gate.allow) this.#expected = { part: "proof", key, outputDigest: intent.valueDigest };
    const { policy, tenant } = intent;
    const differs =
      event.policyId !== policy.policyId ||
      event.policyVersion !== policy.policyVersion ||
      event.tenant !== tenant;
    if (!key.release) {
      if (gate.allow) this.#hold(key, intent);
      else this.#remember(key.number, "denied");
    }
    if (differs)
      return {
        fault: "wrong_policy",
        message: "the decision names another policy or tenant than its INTENT",
      };
    return isCall(intent) ? { form: "decided", key, intent, gate } : { form: "released", key, intent, gate };
  }

  #hold({ number, id }: CallKey, intent: CallIntent | Intent): void {
    if (!isCall(intent)) return;
    if (this.#open.size >= this.#maxOpen) {
      dropFirst(this.#open);
      this.#forgotten += 1;
    }
    this.#open.set(number, { id, intent, argumentsDigest: undefined });
  }

  #prove({ number }: CallKey, argumentsDigest: string): Entry {
    const call = this.#open.get(number);
    if (call === undefined) return { fault: "unknown_call", message: "the call is not running" };
    call.argumentsDigest = argumentsDigest;
    const { valueDigest } = call.intent;
    if (valueDigest !== undefined && valueDigest !== argumentsDigest) {
      return { fault: "wrong_arguments", message: "the PROOF is of other arguments than the INTENT" };
    }
    return "waiting";
  }

  #execute({ key, argumentsDigest, outputDigest, success }: LogEvent & { form: "execution" }): Entry {
    const call = this.#open.get(key.number);
    if (call?.id !== key.id) return this.#notOpen(key, "execution");
    this.#open.delete(key.number);
    this.#remember(key.number, "executed");
    this.#executed = { id: key.id, intent: call.intent, outputDigest };
    if (call.argumentsDigest === undefined) {
      return { fault: "wrong_order", message: "an EXECUTION comes before the PROOF of its call" };
    }
    if (call.argumentsDigest !== argumentsDigest) {
      return { fault: "wrong_arguments", message: "the EXECUTION is of other arguments than the PROOF" };
    }
    if (!success && outputDigest !== NO_OUTPUT && outputDigest !== UNWRITTEN_OUTPUT) {
      return { fault: "wrong_output", message: "an EXECUTION that failed has an output" };
    }
    return { form: "executed", key, success };
  }

  #askRelease(key: CallKey, intent: Intent, executed: Executed | undefined): Entry {
    if (executed?.id !== key.id) {
      if (key.number <= this.#before) return "waiting"; // of a call that began before what is read
      const known = this.#open.has(key.number) || key.number <= this.#calls;
      return known
        ? { fault: "wrong_order", message: "a release does not come right after the EXECUTION of its call" }
        : { fault: "unknown_call", message: "a release is of a call that the log does not have" };
    }
    this.#expected = { part: "decision", key, intent };
    if (identityOf(intent) !== identityOf(executed.intent)) {
      return { fault: "wrong_policy", message: "a release names another tool, user or policy than its call" };
    }
    if (intent.valueDigest !== undefined && intent.valueDigest !== executed.outputDigest) {
      return { fault: "wrong_output", message: "a release is of another output than the EXECUTION" };
    }
    return { form: "asked", key };
  }

  #lose(number: number, count: number): Entry {
    const next = this.#calls + 1;
    this.#calls = Math.max(this.#calls, number + count - 1);
    if (number === next) return { form: "lost", count };
    return number < next
      ? { fault: "wrong_order", message: "lost calls have numbers that are past" }
      : { fault: "skipped_call", message: `numbers of calls are missing before lost ones: ${number - next}` };
  }

  /** A DECISION or PROOF that does not come right after what it belongs to. */
  #late({
    key,
    form,
  }: {
    readonly key: CallKey;
    readonly form: "decision" | "proof" | "release_proof";
  }): Entry {
    if (form === "decision" && !key.release && this.#wasDecided(key)) {
      return { fault: "second_decision", message: "a call is decided twice" };
    }
    return this.#notOpen(key, "part");
  }

  #wasDecided({ number, id }: CallKey): boolean {
    return this.#over.has(number) || this.#open.get(number)?.id === id;
  }

  #notOpen({ number, id }: CallKey, what: "execution" | "part"): Entry {
    const end = this.#over.get(number);
    if (end === "denied") return { fault: "after_deny", message: "an event comes after the call was denied" };
    if (end === "executed" || this.#open.get(number)?.id === id) {
      return { fault: "wrong_order", message: "an event comes out of the order of its call" };
    }
    if (number <= this.#before) return "waiting"; // of a call that began before what is read
    if (what === "execution") {
      return {
        fault: "execution_without_allow",
        message: "an EXECUTION is of no call that was allowed and runs",
      };
    }
    return { fault: "unknown_call", message: "an event is of no call that runs" };
  }

  #remember(number: number, end: "denied" | "executed"): void {
    if (this.#over.size >= REMEMBERED) dropFirst(this.#over);
    this.#over.set(number, end);
  }
}

function isCall(intent: CallIntent | Intent): intent is CallIntent {
  return "historyLength" in intent;
}

/** What a release must have in common with its call. */
function identityOf({ tool, principal, roles, policyState, policy, tenant }: Intent): string {
  return canonicalJson([tool, principal ?? null, roles, policyState, { ...policy }, tenant]);
}

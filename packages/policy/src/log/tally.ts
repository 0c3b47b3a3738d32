import type { LogEvent } from "./event.js";

/** How much there is in a log. */
export interface LogCounts {
  readonly lines: number;
  /** Lines that hold an event. */
  readonly events: number;
  /** Bytes read; of a source that is text, characters. */
  readonly bytes: number;
  /** Calls by their numbers, lost ones included. */
  readonly calls: number;
  readonly lostCalls: number;
  /** Events by kind. */
  readonly kinds: {
    readonly INTENT: number;
    readonly DECISION: number;
    readonly PROOF: number;
    readonly EXECUTION: number;
  };
  readonly allowed: number;
  readonly denied: number;
  /** Decisions on releases, which are not among `allowed` and `denied`. */
  readonly released: number;
  readonly withheld: number;
  readonly endedSessions: number;
}

/** Counts what a log holds. */
export class Tally {
  #lines = 0;
  readonly #kinds = { INTENT: 0, DECISION: 0, PROOF: 0, EXECUTION: 0 };
  readonly #counts = { lostCalls: 0, allowed: 0, denied: 0, released: 0, withheld: 0, endedSessions: 0 };

  get events(): number {
    const { INTENT, DECISION, PROOF, EXECUTION } = this.#kinds;
    return INTENT + DECISION + PROOF + EXECUTION;
  }

  get counts(): Omit<LogCounts, "calls" | "bytes"> {
    return { lines: this.#lines, events: this.events, kinds: { ...this.#kinds }, ...this.#counts };
  }

  line(): void {
    this.#lines += 1;
  }

  event(kind: string, event: LogEvent): void {
    if (kind === "INTENT" || kind === "DECISION" || kind === "PROOF" || kind === "EXECUTION")
      this.#kinds[kind] += 1;
    if (event.form === "lost") this.#counts.lostCalls += event.count;
    else if (event.form === "session_end") this.#counts.endedSessions += 1;
    else if (event.form === "decision") {
      const { key, gate } = event;
      this.#counts[
        key.release ? (gate.allow ? "released" : "withheld") : gate.allow ? "allowed" : "denied"
      ] += 1;
    }
  }
}

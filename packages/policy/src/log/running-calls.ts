import type { ToolEntry } from "d2-core";
import { dropFirst } from "./drop-first.js";
import type { CallIntent } from "./event.js";
import type { ReplayPolicy } from "./policy-shelf.js";
import type { Followed } from "./session-book.js";

/** A call that was allowed and runs. */
export interface RunningCall {
  readonly followed: Followed;
  readonly intent: CallIntent;
  /** Id in the session's family. */
  readonly id: number;
  /** The same of its shadow. */
  readonly shadowId: number;
  readonly policy: ReplayPolicy | undefined;
  /** Rules of the tool under the recorded policy, where that is known. */
  readonly entry: ToolEntry | undefined;
}

/** The calls that run, by their numbers. */
export class RunningCalls {
  readonly #max: number;
  readonly #calls = new Map<number, RunningCall>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The call that another is made inside of. */
  enclosing({ within }: CallIntent): RunningCall | undefined {
    return within === undefined
      ? undefined
      : this.#calls.get(Number(within.slice(within.lastIndexOf(":") + 1)));
  }

  /** Begins a call in its session, which thereby has it in its history and its labels among its facts. */
  begin(
    number: number,
    call: Pick<RunningCall, "followed" | "intent" | "policy" | "entry">,
    outer: RunningCall | undefined,
  ): RunningCall {
    const { followed, intent, entry } = call;
    const id = followed.session.begin(intent.tool, outer?.id ?? 0);
    const shadowId = followed.shadow?.begin(intent.tool, outer?.shadowId ?? 0) ?? 0;
    if (entry !== undefined && entry.labels.length > 0) {
      followed.session.addFacts(entry.labels);
      followed.labels?.addFacts(entry.labels);
    }
    if (this.#calls.size >= this.#max) dropFirst(this.#calls);
    const running = { ...call, id, shadowId };
    this.#calls.set(number, running);
    return running;
  }

  /** Takes out a call that has been executed. */
  take(number: number): RunningCall | undefined {
    const running = this.#calls.get(number);
    this.#calls.delete(number);
    return running;
  }
}

/** Ends a call in its session. */
export function endCall({ followed, id, shadowId }: RunningCall, released: boolean): void {
  followed.session.end(id, released);
  followed.shadow?.end(shadowId, released);
}

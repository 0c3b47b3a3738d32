/**
 * What happened in a session, as one list that only grows at its end. Each entry begins with a number that holds its
 * kind in the lowest two bits:
 *
 * - `COMPLETE and count, tool`: so many calls in a row of one tool, each of which ended, released, before anything else
 *   began
 * - `FAILED and count, tool`: the same for calls that threw or whose value was refused
 * - `BEGAN, tool, id, enclosing`: a call that something else overlaps; its id is also the time at which it began
 * - `ENDED and flags, id, time`
 */
export type SessionLog = readonly LogWord[];

/** Tools stand in it by name: names are shared and cost no look-up. */
export type LogWord = number | string;

export const COMPLETE = 0;
export const FAILED = 1;
export const BEGAN = 2;
export const ENDED = 3;

/** What a count or flags are multiplied by to stand above the kind. */
export const ABOVE_KIND = 4;

/** Most calls of one entry, so that the number stays a small one. */
export const MAX_RUN = 2 ** 28;

/** Flags of an `ENDED` entry. */
export const RELEASED = 1;
/** A session within was open at that moment: calls may join later that began earlier. */
export const REMEMBER = 2;

/** What a tracker reads of a session. */
export interface LoggedSession {
  readonly log: SessionLog;
  /** Whether sessions within may still join calls that began earlier than now. */
  readonly mayBeJoined: boolean;
  /** Writes down a call that has begun and not ended. */
  flush(): void;
}

/** The number at a place that has one. */
export function numberAt(log: SessionLog, at: number): number {
  const word = log[at];
  return typeof word === "number" ? word : 0;
}

/** The tool at a place that has one. */
export function toolAt(log: SessionLog, at: number): string {
  const word = log[at];
  return typeof word === "string" ? word : "";
}

/**
 * Appends to a session's log that of one that ends within it. The latter has no runs: those are for sessions that are not
 * within another.
 */
export function takeOver(from: SessionLog, into: LogWord[]): void {
  for (let at = 0; at < from.length; ) {
    const word = numberAt(from, at);
    if ((word & 3) === BEGAN) {
      into.push(BEGAN, toolAt(from, at + 1), numberAt(from, at + 2), numberAt(from, at + 3));
      at += 4;
    } else {
      into.push(word | (REMEMBER * ABOVE_KIND), numberAt(from, at + 1), numberAt(from, at + 2));
      at += 3;
    }
  }
}

/**
 * What happened in a session, as a list of numbers that only grows at its end:
 *
 * - `COMPLETE tool, count`: so many calls in a row of one tool, each of which ended, released, before anything else began
 * - `FAILED tool, count`: the same for calls that threw or whose value was refused
 * - `BEGAN tool, id, enclosing`: a call that something else overlaps; its id is also the time at which it began
 * - `ENDED flags, id, time`
 *
 * Each first number holds its kind in the lowest two bits and the tool's index, or the flags, above them.
 */
export const COMPLETE = 0;
export const FAILED = 1;
export const BEGAN = 2;
export const ENDED = 3;

/** Flags of an `ENDED` entry. */
export const RELEASED = 1;
/** A session within was open at that moment: calls may join later that began earlier. */
export const REMEMBER = 2;

/** What a tracker reads of a session. */
export interface SessionLog {
  readonly log: readonly number[];
  /** Whether sessions within may still join calls that began earlier than now. */
  readonly mayBeJoined: boolean;
  toolAt(index: number): string;
  /** Writes down a call that has begun and not ended. */
  flush(): void;
}

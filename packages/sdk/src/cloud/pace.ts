/** What the time until the next poll depends on. */
export interface PollResult {
  /** Seconds between polls that the control plane wants; undefined: as before. */
  readonly pollSeconds?: number | undefined;
  readonly failed: boolean;
  /** Seconds that it wants to be left alone. */
  readonly retryAfter?: number | undefined;
  /** Whether there is nothing to go on with, or only what was kept on disk, so that the next answer is waited for. */
  readonly urgent: boolean;
}

const MAX_FACTOR = 8;

/** Seconds of an interval while an answer is waited for. */
const URGENT_SECONDS = 5;

/** When to ask again: an interval, twice that after a failure, up to eight; a tenth more or less, so that many do not ask at once. */
export class Pace {
  readonly #random: () => number;
  #seconds = 60;
  #factor = 1;

  /** @param random from 0 to 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds until the next poll. */
  after({ pollSeconds, failed, retryAfter, urgent }: PollResult): number {
    this.#seconds = pollSeconds ?? this.#seconds;
    if (retryAfter !== undefined) {
      this.#factor = 1;
      // Never earlier than was asked for.
      return Math.round(retryAfter * 1000 * (1 + 0.1 * this.#random()));
    }
    this.#factor = failed ? Math.min(MAX_FACTOR, this.#factor * 2) : 1;
    const seconds = urgent ? Math.min(URGENT_SECONDS, this.#seconds) : this.#seconds;
    return Math.round(seconds * 1000 * this.#factor * (0.9 + 0.2 * this.#random()));
  }
}

import type { Logger } from "../setup/logger.js";

/** Counts what goes wrong with a decision log, and tells of it: once when it begins, and once when it is over. */
export class LogReport {
  readonly #logger: Logger;
  readonly #stream: string;
  #failures = 0;
  #lost = 0;
  #toldLost = 0;
  #losing = false;
  #failing = false;

  constructor(logger: Logger, stream: string) {
    this.#logger = logger;
    this.#stream = stream;
  }

  /** How often writing has failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Calls that were not recorded. */
  get lost(): number {
    return this.#lost;
  }

  /** A call is not recorded. */
  losing(): void {
    this.#lost += 1;
    if (this.#losing) return;
    this.#losing = true;
    this.tell("has no room: calls are not recorded until what waits is written");
  }

  failed(error: unknown): void {
    this.#failures += 1;
    if (this.#failing) return;
    this.#failing = true;
    // What a sink throws is about files and connections, and holds nothing of a record.
    this.tell(
      `cannot be written, and will be tried again: ${error instanceof Error ? error.message : "it failed"}`,
    );
  }

  /** Something was written. */
  written(): void {
    if (!this.#failing && !this.#losing) return;
    const missing = this.#lost - this.#toldLost;
    this.#toldLost = this.#lost;
    this.#failing = false;
    this.#losing = false;
    const lost = missing === 0 ? "" : `, and ${missing} calls were not recorded`;
    this.#logger.warn(`the decision log \`${this.#stream}\` is written again${lost}`);
  }

  tell(what: string): void {
    this.#logger.error(`the decision log \`${this.#stream}\` ${what}`);
  }
}

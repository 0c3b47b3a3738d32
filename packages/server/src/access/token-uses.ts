import type { Logger } from "pino";
import type { Storage } from "../storage/storage.js";

/** Gathers when tokens were last used, and writes it now and then: a request never waits for it. */
export class TokenUses {
  readonly #storage: Pick<Storage, "touchTokens">;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  #uses = new Map<string, number>();
  #writing: Promise<void> = Promise.resolve();

  /** @param interval milliseconds */
  constructor(storage: Pick<Storage, "touchTokens">, interval: number, logger: Logger) {
    this.#storage = storage;
    this.#logger = logger;
    this.#timer = setInterval(() => void this.flush(), interval);
    this.#timer.unref();
  }

  record(tokenId: string, at: number): void {
    this.#uses.set(tokenId, at);
  }

  /** Never rejects: what could not be written is tried again with the next. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #write(): Promise<void> {
    const uses = this.#uses;
    if (uses.size === 0) return;
    this.#uses = new Map();
    try {
      await this.#storage.touchTokens(uses);
    } catch {
      for (const [id, at] of uses) if (!this.#uses.has(id)) this.#uses.set(id, at);
      this.#logger.warn({ tokens: uses.size }, "last uses of tokens could not be written; will try again");
    }
  }
}

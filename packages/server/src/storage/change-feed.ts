import type { Database } from "./database.js";
import { PostgresBell } from "./postgres-bell.js";
import type { Change } from "./storage.js";
import { StorageError } from "./storage-error.js";

export interface ChangeFeedOptions {
  readonly database: Database;
  /** Number of the latest change that nobody needs to hear of. */
  readonly latest: number;
  /** How often to look without having been told, in milliseconds. */
  readonly pollInterval: number;
  /** PostgreSQL's address; undefined: other processes' changes are found by looking only. */
  readonly url: string | undefined;
}

/**
 * Tells listeners what changed. What changed stands in a table, numbered in the order of commits; a bell (a commit of this
 * process, PostgreSQL's NOTIFY) only says when to look, and a look each interval makes up for a bell that was not heard.
 */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #listeners = new Set<{ readonly tell: (change: Change) => void }>();
  #latest: number;
  #timer: NodeJS.Timeout | undefined;
  #bell: PostgresBell | undefined;
  #reading: Promise<void> | undefined;
  #rung = false;
  #failing = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
    this.#latest = options.latest;
  }

  watch(tell: (change: Change) => void): () => void {
    const listener = { tell };
    this.#listeners.add(listener);
    this.#start();
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) void this.#stop();
    };
  }

  /** There may be something new. */
  ring(): void {
    if (this.#timer === undefined) return;
    this.#rung = true;
    this.#reading ??= this.#read();
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#stop();
  }

  #start(): void {
    if (this.#timer !== undefined) return;
    const { database, pollInterval, url } = this.#options;
    this.#timer = setInterval(() => this.ring(), pollInterval).unref();
    if (url !== undefined) {
      this.#bell = new PostgresBell(url, () => this.ring(), database.logger);
    }
    this.ring();
  }

  async #stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const bell = this.#bell;
    this.#bell = undefined;
    await Promise.all([bell?.close(), this.#reading]);
  }

  async #read(): Promise<void> {
    const { database } = this.#options;
    try {
      while (this.#rung) {
        this.#rung = false;
        const rows = await database.db
          .selectFrom("changes")
          .selectAll()
          .where("seq", ">", this.#latest)
          .orderBy("seq")
          .execute();
        for (const { seq, kind, id } of rows) {
          this.#latest = seq;
          this.#tell({ kind, id });
        }
      }
      this.#failing = false;
    } catch (error) {
      const code = error instanceof StorageError ? (error.databaseCode ?? error.code) : "unknown";
      if (!this.#failing) database.logger?.warn({ code }, "cannot read what changed; will go on trying");
      this.#failing = true;
    } finally {
      this.#reading = undefined;
    }
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) {
      try {
        listener.tell(change);
      } catch {
        this.#options.database.logger?.warn({ kind: change.kind }, "a listener to changes failed");
      }
    }
  }
}

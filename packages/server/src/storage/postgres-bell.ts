import pg from "pg";
import { CHANGE_CHANNEL } from "./change-record.js";
import type { StorageLogger } from "./database.js";
import { clientConfig } from "./postgres-dialect.js";
import { connectionError } from "./storage-error.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;

/** Rings at each NOTIFY. Listens on a connection of its own, and makes a new one when that is lost. */
export class PostgresBell {
  readonly #url: string;
  readonly #ring: () => void;
  readonly #logger: StorageLogger | undefined;
  #client: pg.Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #delay = FIRST_DELAY;
  #connecting: Promise<void>;
  #closed = false;

  constructor(url: string, ring: () => void, logger: StorageLogger | undefined) {
    this.#url = url;
    this.#ring = ring;
    this.#logger = logger;
    this.#connecting = this.#connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#connecting;
    await this.#client?.end();
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(clientConfig(this.#url));
    let lost = false;
    const lose = (error?: unknown) => {
      if (lost || this.#closed) return;
      lost = true;
      this.#client = undefined;
      this.#logger?.warn(
        { code: connectionError(error).databaseCode },
        "not listening for changes; will reconnect",
      );
      this.#retry = setTimeout(() => {
        this.#connecting = this.#connect();
      }, this.#delay).unref();
      this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
    };
    client.on("error", lose);
    client.on("end", () => lose());
    client.on("notification", this.#ring);
    this.#client = client;
    try {
      await client.connect();
      await client.query(`listen ${CHANGE_CHANNEL}`);
      this.#delay = FIRST_DELAY;
      this.#logger?.info({}, "listening for changes");
      // What was told before we listened.
      this.#ring();
    } catch (error) {
      lose(error);
      if (!lost) return;
      await client.end().catch(() => undefined);
    }
  }
}

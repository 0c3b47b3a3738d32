import type { Storage, Token } from "../storage/storage.js";
import { sameDigest } from "./token-text.js";

type Tokens = Pick<Storage, "tokenByDigest" | "watch">;

/**
 * The tokens in use, in memory, so that a request asks the database only the first time. Unknown tokens are not kept.
 * INVARIANT: a token whose change was heard of is read anew, also when it was being read at that moment.
 */
export class TokenCache {
  readonly #storage: Tokens;
  readonly #limit: number;
  readonly #stop: () => void;
  readonly #byDigest = new Map<string, Token>();
  readonly #digestById = new Map<string, string>();
  readonly #reading = new Map<string, Promise<Token | undefined>>();
  #changes = 0;

  /** @param limit tokens that are kept; beyond it the one that came first goes */
  constructor(storage: Tokens, limit = 20_000) {
    this.#storage = storage;
    this.#limit = limit;
    this.#stop = storage.watch((change) => {
      if (change.kind === "token") this.forget(change.id);
    });
  }

  close(): void {
    this.#stop();
  }

  /** What is in memory. */
  known(digest: string): Token | undefined {
    const token = this.#byDigest.get(digest);
    return token !== undefined && sameDigest(token.digest, digest) ? token : undefined;
  }

  /** Asks the database; callers that ask for the same token at once share the answer. */
  read(digest: string): Promise<Token | undefined> {
    const running = this.#reading.get(digest);
    if (running !== undefined) return running;
    const reading = this.#read(digest).finally(() => {
      if (this.#reading.get(digest) === reading) this.#reading.delete(digest);
    });
    this.#reading.set(digest, reading);
    return reading;
  }

  forget(id: string): void {
    this.#changes++;
    this.#reading.clear();
    const digest = this.#digestById.get(id);
    if (digest === undefined) return;
    this.#digestById.delete(id);
    this.#byDigest.delete(digest);
  }

  async #read(digest: string): Promise<Token | undefined> {
    const changes = this.#changes;
    const token = await this.#storage.tokenByDigest(digest);
    if (token === undefined || !sameDigest(token.digest, digest)) return undefined;
    if (changes !== this.#changes) return this.#read(digest);
    if (token.revokedAt === null) this.#keep(token);
    return token;
  }

  #keep(token: Token): void {
    const [oldest] = this.#byDigest.values();
    if (this.#byDigest.size >= this.#limit && oldest !== undefined) {
      this.#byDigest.delete(oldest.digest);
      this.#digestById.delete(oldest.id);
    }
    this.#byDigest.set(token.digest, token);
    this.#digestById.set(token.id, token.digest);
  }
}

interface Bucket {
  tokens: number;
  at: number;
}

export interface RateLimitOptions {
  /** What flows in each second; 0: no limit. */
  readonly perSecond: number;
  /** How much may be taken at once. */
  readonly burst: number;
  /** Milliseconds that only grow. */
  readonly monotonic: () => number;
  /** Keys that are remembered; beyond it the oldest is forgotten. Default: 50,000. */
  readonly limit?: number;
}

/** Token buckets by key, in bounded memory. */
export class RateLimit {
  readonly #perMillisecond: number;
  readonly #burst: number;
  readonly #monotonic: () => number;
  readonly #limit: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor({ perSecond, burst, monotonic, limit = 50_000 }: RateLimitOptions) {
    this.#perMillisecond = perSecond / 1000;
    this.#burst = burst;
    this.#monotonic = monotonic;
    this.#limit = limit;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one. @returns 0, or the milliseconds until there is one again */
  take(key: string): number {
    if (this.#perMillisecond === 0) return 0;
    const bucket = this.#filled(key);
    if (bucket.tokens < 1) return this.#wait(bucket);
    bucket.tokens--;
    return 0;
  }

  /** As `take`, without taking. */
  wait(key: string): number {
    const bucket = this.#perMillisecond === 0 ? undefined : this.#buckets.get(key);
    if (bucket === undefined) return 0;
    this.#fill(bucket);
    return bucket.tokens < 1 ? this.#wait(bucket) : 0;
  }

  #wait(bucket: Bucket): number {
    return Math.ceil((1 - bucket.tokens) / this.#perMillisecond);
  }

  #fill(bucket: Bucket): void {
    const now = this.#monotonic();
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#perMillisecond);
    bucket.at = now;
  }

  #filled(key: string): Bucket {
    const there = this.#buckets.get(key);
    if (there !== undefined) {
      this.#fill(there);
      return there;
    }
    if (this.#buckets.size >= this.#limit) this.#forget();
    const bucket = { tokens: this.#burst, at: this.#monotonic() };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** Those that are full again say nothing; if there are none, whoever came first gets a new chance. */
  #forget(): void {
    let first: string | undefined;
    for (const [key, bucket] of this.#buckets) {
      first ??= key;
      this.#fill(bucket);
      if (bucket.tokens >= this.#burst) this.#buckets.delete(key);
    }
    if (this.#buckets.size >= this.#limit && first !== undefined) this.#buckets.delete(first);
  }
}

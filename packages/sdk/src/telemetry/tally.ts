import type { Attributes, Counter } from "./metric-api.js";

/** Most sets of attributes that are counted apart before they are handed on. */
const MAX_KEYS = 1000;

/** A second counter of the same things, with attributes of its own. */
export interface AlsoCounted {
  readonly counter: Counter;
  readonly attributes: (key: string) => Attributes;
}

interface Sum {
  count: number;
  readonly attributes: Attributes;
}

/**
 * Counts by a key, and hands the sums on to a counter now and then: a counter of OpenTelemetry takes longer to find
 * the place of its attributes than a guarded call may take.
 */
export class Tally {
  readonly #counter: Counter;
  readonly #also: AlsoCounted | undefined;
  readonly #sums = new Map<string, Sum>();

  constructor(counter: Counter, also?: AlsoCounted) {
    this.#counter = counter;
    this.#also = also;
  }

  /** @param attributes those of the key; asked when it is a new one */
  add(key: string, attributes: (key: string) => Attributes): void {
    const known = this.#sums.get(key);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    if (this.#sums.size >= MAX_KEYS) this.drain();
    this.#sums.set(key, { count: 1, attributes: attributes(key) });
  }

  drain(): void {
    for (const [key, { count, attributes }] of this.#sums) {
      this.#counter.add(count, attributes);
      this.#also?.counter.add(count, this.#also.attributes(key));
    }
    this.#sums.clear();
  }
}

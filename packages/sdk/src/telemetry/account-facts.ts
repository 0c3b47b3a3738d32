import { isRecord } from "../cloud/jws.js";

/** What the control plane wants of usage events. */
export interface AccountFacts {
  /** Most events a post. */
  readonly eventBatch: number;
  /** Most bytes of events a post. */
  readonly eventBytes: number;
  /** Seconds between posts. */
  readonly ingestInterval: number;
  /** Which part of the events of a type is sent, 0 to 1; of types that are not here, all. */
  readonly sample: ReadonlyMap<string, number>;
}

/** The wire protocol's, for as long as the control plane has not said. */
export const DEFAULT_ACCOUNT: AccountFacts = Object.freeze({
  eventBatch: 1000,
  eventBytes: 32 * 1024,
  ingestInterval: 60,
  sample: Object.freeze(
    new Map([
      ["policy_poll_interval", 0.1],
      ["missing_policy", 0.5],
    ]),
  ),
});

/** Reads the body of `/v1/accounts/me`; undefined: it is none. What is not said, or makes no sense, is as by default. */
export function readAccount(body: string): AccountFacts | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const quotas = isRecord(value["quotas"]) ? value["quotas"] : {};
  const sample = value["event_sample"];
  return {
    eventBatch: within(quotas["event_batch"], 1, 1000) ?? DEFAULT_ACCOUNT.eventBatch,
    eventBytes: within(quotas["event_bytes"], 4096, 1024 * 1024) ?? DEFAULT_ACCOUNT.eventBytes,
    ingestInterval: within(quotas["ingest_interval"], 1, 3600) ?? DEFAULT_ACCOUNT.ingestInterval,
    sample: isRecord(sample) ? readRates(sample) : DEFAULT_ACCOUNT.sample,
  };
}

function within(value: unknown, least: number, most: number): number | undefined {
  if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
  return Math.min(most, Math.max(least, Math.floor(value)));
}

function readRates(sample: Readonly<Record<string, unknown>>): ReadonlyMap<string, number> {
  const rates = new Map<string, number>();
  for (const [type, rate] of Object.entries(sample)) {
    if (typeof rate === "number" && rate >= 0 && rate <= 1) rates.set(type, rate);
  }
  return rates;
}

/** Decides which events are sent. */
export class Sampling {
  readonly #random: () => number;
  #rates: ReadonlyMap<string, number> = DEFAULT_ACCOUNT.sample;

  /** @param random from 0 up to 1, without 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  follow(rates: ReadonlyMap<string, number>): void {
    this.#rates = rates;
  }

  takes(type: string): boolean {
    const rate = this.#rates.get(type);
    return rate === undefined || this.#random() < rate;
  }
}

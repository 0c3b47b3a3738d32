import { Problem, retryAfter } from "../http/problem.js";
import type { Services } from "../http/services.js";
import type { IngestOutcome, NewBatch } from "../storage/storage.js";

/** What is stored in one transaction at most, beyond its first batch. SQLite's runs in this thread, which must not be long. */
const GROUP_BATCHES = 64;
const GROUP_WEIGHT = { sqlite: 2_000, postgres: 4_000 } as const;

/** Transactions at once. SQLite has one writer; on PostgreSQL those of different accounts go on side by side. */
const WRITERS = { sqlite: 1, postgres: 4 } as const;

interface Waiting {
  readonly batch: NewBatch;
  readonly weight: number;
  readonly resolve: (outcome: IngestOutcome) => void;
  readonly reject: (error: unknown) => void;
}

type QueueServices = Pick<Services, "storage" | "clock" | "metrics" | "settings">;

/**
 * Batches on their way to the database, in bounded memory. Small ones that wait at the same time are stored together.
 *
 * INVARIANT: `add` resolves only once the batch is on disk.
 */
export class IngestQueue {
  readonly #services: QueueServices;
  #waiting: Waiting[] = [];
  #weight = 0;
  #writers = 0;
  /** Accounts of which a transaction runs: a second one would only wait for it, so their batches gather meanwhile. */
  readonly #storing = new Set<string>();
  #idle: (() => void)[] = [];

  constructor(services: QueueServices) {
    this.#services = services;
    services.metrics.registry.gauge(
      "d2_events_waiting",
      "Usage events that wait to be stored; a large one counts once a KiB.",
      () => this.#weight,
    );
  }

  /** @throws Problem 429 when too much is waiting; StorageError */
  add(batch: NewBatch): Promise<IngestOutcome> {
    const weight = weightOf(batch);
    if (this.#weight > 0 && this.#weight + weight > this.#services.settings.eventQueueLimit) {
      throw new Problem(429, "ingest_overloaded", {
        detail: "too many events are waiting to be stored: send them again later",
        headers: retryAfter(1000),
      });
    }
    this.#weight += weight;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, weight, resolve, reject });
      if (this.#writers < WRITERS[this.#services.storage.database]) void this.#write();
    });
  }

  /** Settles when everything that waits is stored. */
  async close(): Promise<void> {
    while (this.#writers > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #write(): Promise<void> {
    this.#writers++;
    // Those that come in the same turn join.
    await Promise.resolve();
    for (let group = this.#take(); group.length > 0; group = this.#take()) {
      for (const { batch } of group) this.#storing.add(batch.accountId);
      await this.#store(group);
      for (const { batch, weight } of group) {
        this.#storing.delete(batch.accountId);
        this.#weight -= weight;
      }
    }
    this.#writers--;
    const idle = this.#idle;
    this.#idle = [];
    for (const tell of idle) tell();
  }

  /** Those that came first, of accounts that no other writer is at. */
  #take(): Waiting[] {
    const most = GROUP_WEIGHT[this.#services.storage.database];
    const group: Waiting[] = [];
    const rest: Waiting[] = [];
    let weight = 0;
    let full = false;
    for (const waiting of this.#waiting) {
      if (full || this.#storing.has(waiting.batch.accountId)) {
        rest.push(waiting);
        continue;
      }
      weight += waiting.weight;
      full = group.length > 0 && (group.length >= GROUP_BATCHES || weight > most);
      (full ? rest : group).push(waiting);
    }
    this.#waiting = rest;
    return group;
  }

  async #store(group: readonly Waiting[]): Promise<void> {
    const { storage, clock } = this.#services;
    try {
      const outcomes = await storage.ingestMany(
        group.map(({ batch }) => batch),
        clock(),
      );
      group.forEach((waiting, index) => {
        const outcome = outcomes[index];
        if (outcome === undefined) waiting.reject(new Error("the storage has no outcome for a batch"));
        else this.#done(waiting, outcome);
      });
    } catch (error) {
      const [first] = group;
      if (group.length === 1 && first !== undefined) first.reject(error);
      // One that cannot be stored must not take the others with it.
      else for (const waiting of group) await this.#store([waiting]);
    }
  }

  #done({ resolve }: Waiting, outcome: IngestOutcome): void {
    if (!outcome.duplicate) this.#services.metrics.eventsAccepted.add(outcome.accepted);
    resolve(outcome);
  }
}

/** Events, where each counts at least once a KiB: what is bounded is memory. */
function weightOf({ events }: NewBatch): number {
  const characters = events.reduce((sum, { payload }) => sum + payload.length, 0);
  return Math.max(events.length, Math.ceil(characters / 1024));
}

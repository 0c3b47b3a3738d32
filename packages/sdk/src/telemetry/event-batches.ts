import { nodeCrypto } from "../setup/node-crypto.js";
import type { EventBuffer, Losses, RenderedEvent } from "./event-buffer.js";

/** Events that are sent together, and again until they are answered. */
export interface Batch {
  /** The same each time that it is sent. */
  readonly id: string;
  readonly events: readonly RenderedEvent[];
  /** Lost events that it tells of, which are told anew if it is lost itself. */
  readonly losses: Losses;
}

/** Most events a post, whatever is allowed: half of what is kept, so that one that waits leaves room. */
const MAX_BATCH = 500;

const NO_LOSSES: Losses = { count: 0, denials: 0 };

/** Cuts what waits into batches. */
export class EventBatches {
  readonly #buffer: EventBuffer;
  readonly #lossEvent: (losses: Losses) => RenderedEvent;
  /** Fewer than allowed, once a batch was too large. */
  #most = MAX_BATCH;
  readonly #open: Batch[] = [];

  constructor(buffer: EventBuffer, lossEvent: (losses: Losses) => RenderedEvent) {
    this.#buffer = buffer;
    this.#lossEvent = lossEvent;
  }

  /** How many events there are to be sent. */
  get size(): number {
    return this.#open.reduce((sum, { events }) => sum + events.length, this.#buffer.count);
  }

  /** The batch to be sent next: the same one until it is done, halved or lost. */
  next(limits: { readonly eventBatch: number; readonly eventBytes: number }): Batch | undefined {
    if (this.#open.length === 0) {
      const losses = this.#buffer.hasLosses ? this.#buffer.takeLosses() : NO_LOSSES;
      const first = losses.count === 0 ? [] : [this.#lossEvent(losses)];
      const events = [...first, ...this.#take(first, limits)];
      if (events.length > 0) this.#open.push({ id: nodeCrypto().randomUUID(), events, losses });
    }
    return this.#open[0];
  }

  /** The batch has arrived. */
  done(): void {
    this.#open.shift();
    if (this.#open.length === 0) this.#buffer.settle();
  }

  /** The batch cannot be sent: what is in it counts as lost. */
  lose({ events, losses }: Batch): void {
    this.done();
    const told = losses.count === 0 ? 0 : 1;
    const denials = events.reduce((sum, { denial }) => sum + (denial ? 1 : 0), 0);
    this.#buffer.lose({ count: events.length - told + losses.count, denials: denials + losses.denials });
  }

  /** The batch was too large: it becomes two, and no later one is larger than they are. */
  halve(batch: Batch): void {
    const { events, losses } = batch;
    if (events.length < 2) {
      this.lose(batch);
      return;
    }
    const half = Math.ceil(events.length / 2);
    this.#most = Math.min(this.#most, half);
    // New ids, for these are other batches than the one that was refused.
    this.#open.splice(
      0,
      1,
      { id: nodeCrypto().randomUUID(), events: events.slice(0, half), losses },
      { id: nodeCrypto().randomUUID(), events: events.slice(half), losses: NO_LOSSES },
    );
  }

  clear(): void {
    this.#open.length = 0;
    this.#buffer.clear();
  }

  #take(
    first: readonly RenderedEvent[],
    { eventBatch, eventBytes }: { readonly eventBatch: number; readonly eventBytes: number },
  ): RenderedEvent[] {
    const most = Math.max(1, Math.min(eventBatch, this.#most) - first.length);
    for (;;) {
      // One more for the comma.
      let left = first.reduce((bytes, event) => bytes - event.bytes - 1, eventBytes);
      const taken = this.#buffer.take(most, (bytes) => {
        left -= bytes + 1;
        return left >= 0;
      });
      if (taken.length > 0 || this.#buffer.count === 0) return taken;
      this.#buffer.dropNext();
    }
  }
}

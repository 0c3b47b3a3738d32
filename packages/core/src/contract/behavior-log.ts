import { canonicalJson, digest, type HexDigest } from "../canonical/canonical-json.js";
import { InvalidEventError, InvalidOrderError } from "./contract-error.js";
import { DblEvent } from "./dbl-event.js";
import { outcomeOf } from "./event-outcome.js";
import type { DecisionOutcome } from "./policy-decision.js";

/** An event and its place in the log, from 0. */
export interface LogEntry {
  readonly index: number;
  readonly event: DblEvent;
}

/**
 * An ordered sequence of events that only grows: `append` answers with a log that is one event longer and leaves this
 * one as it is. Order is that of appending and nothing else.
 *
 * For one correlation id the log refuses a second DECISION, an EXECUTION without an ALLOW before it, and everything
 * after a DENY. A release has a correlation id, and so a chain, of its own.
 */
export class BehaviorLog implements Iterable<LogEntry> {
  readonly #spine: Spine;
  readonly length: number;

  /** @throws as `append`, for the first event that may not stand where it does */
  constructor(events: Iterable<DblEvent> = []) {
    this.#spine = events instanceof Spine ? events : new Spine(events);
    this.length = this.#spine.entries.length;
    Object.freeze(this);
  }

  /**
   * The log with an event more.
   *
   * @throws {InvalidOrderError} when the event may not follow what the log holds of its correlation id
   * @throws {InvalidEventError} for what is no `DblEvent`
   */
  append(event: DblEvent): BehaviorLog {
    // Where another log has gone on from here already, this one goes on by itself.
    const isTip = this.#spine.entries.length === this.length;
    const spine = isTip ? this.#spine : new Spine(this.events());
    spine.add(event);
    return new BehaviorLog(spine);
  }

  /** The entry at an index; `undefined` outside of the log. */
  at(index: number): LogEntry | undefined {
    return index < this.length ? this.#spine.entries[index] : undefined;
  }

  *[Symbol.iterator](): IterableIterator<LogEntry> {
    for (let index = 0; index < this.length; index++) {
      const entry = this.#spine.entries[index];
      if (entry !== undefined) yield entry;
    }
  }

  /** The events in order. */
  *events(): IterableIterator<DblEvent> {
    for (const { event } of this) yield event;
  }

  /** SHA-256 of the canonical `{"event_digests": [...]}`. */
  get digest(): HexDigest {
    return digest({ event_digests: Array.from(this, ({ event }) => event.digest) });
  }

  /** The canonical `{"events": [...]}` of what is hashed of each event. */
  get canonical(): string {
    return canonicalJson({ events: Array.from(this, ({ event }) => event.deterministic()) });
  }
}

/** The entries that logs which continue one another share. Only the longest of them adds to it. */
class Spine implements Iterable<DblEvent> {
  readonly entries: LogEntry[] = [];
  /** What was decided in each chain. Every log on the spine but the longest only reads entries. */
  readonly #outcomes = new Map<string, DecisionOutcome | undefined>();

  constructor(events: Iterable<DblEvent>) {
    for (const event of events) this.add(event);
  }

  add(event: DblEvent): void {
    if (!(event instanceof DblEvent)) throw new InvalidEventError("`event` must be a `DblEvent`");
    const { correlationId, eventKind } = event;
    const decided = this.#outcomes.has(correlationId);
    const outcome = this.#outcomes.get(correlationId);
    if (outcome === "DENY") throw new InvalidOrderError("nothing may follow the DENY of a chain");
    if (eventKind === "DECISION") {
      if (decided) throw new InvalidOrderError("a chain may hold one DECISION: this is a second one");
      this.#outcomes.set(correlationId, outcomeOf(event));
    }
    if (eventKind === "EXECUTION" && outcome !== "ALLOW") {
      throw new InvalidOrderError("an EXECUTION must follow an ALLOW of its chain");
    }
    this.entries.push(Object.freeze({ index: this.entries.length, event }));
  }

  *[Symbol.iterator](): IterableIterator<DblEvent> {
    for (const { event } of this.entries) yield event;
  }
}

import {
  ABOVE_KIND,
  BEGAN,
  COMPLETE,
  ENDED,
  FAILED,
  type LoggedSession,
  type LogWord,
  MAX_RUN,
  numberAt,
  RELEASED,
  REMEMBER,
  type SessionLog,
  takeOver,
  toolAt,
} from "./sequence/log.js";
import type { SequenceSpace } from "./sequence/space.js";
import { SequenceTracker } from "./sequence/tracker.js";

/** Most trackers (one a plan and role set) kept a session. */
const MAX_TRACKERS = 16;

const NO_FACTS: ReadonlySet<string> = new Set();

/** What sessions begun inside one another share: one count of events that is also their time. */
interface Family {
  time: number;
}

/**
 * The history and the facts of one request: the one mutable cell that a decision reads. A call enters when it is
 * allowed and leaves a mark again when it ends.
 *
 * A session that was begun inside another joins it when it is closed: its history after what the other has by then.
 * A *mirrored* one has no end that anyone can see, so what it does stands in the outer one at once.
 */
export class Session implements LoggedSession {
  /** A name that whoever keeps the session may give it. */
  id: string | undefined;
  #closing: (() => void)[] | undefined;
  readonly #family: Family;
  /** The session that this one joins; closed ones on the way are stepped over. */
  #outer: Session | undefined;
  readonly #mirrored: boolean;
  readonly #log: LogWord[] = [];
  #facts: Set<string> | undefined;
  #closed = false;
  #running = 0;
  #length = 0;
  #openWithin = 0;
  /** The call that began last, while nothing else has happened since; 0: none. */
  #pending = 0;
  #pendingTool = "";
  #pendingEnclosing = 0;
  /** Where the log's last entry begins, if that is a run that may still grow; -1: it is not. */
  #lastRun = -1;
  #space: SequenceSpace | undefined;
  #tracker: SequenceTracker | undefined;
  #trackers: Map<SequenceSpace, SequenceTracker> | undefined;

  /** Begins an empty session; `outer` is the one it is begun inside of. */
  constructor(outer?: Session, mirrored = false) {
    this.#outer = outer;
    this.#mirrored = outer !== undefined && mirrored;
    this.#family = outer === undefined ? { time: 0 } : outer.#family;
    if (outer !== undefined && !this.#mirrored) outer.#opened();
  }

  #opened(): void {
    this.#openWithin += 1;
    const outer = this.#liveOuter();
    if (this.#mirrored && outer !== undefined) outer.#opened();
  }

  /** Whether the session is still going on. */
  get open(): boolean {
    return !this.#closed;
  }

  /** How many calls the history has. What its first calls are never changes. */
  get length(): number {
    return this.#length;
  }

  /** The session that this one joins when it ends: the innermost around it that is still going on. */
  get outer(): Session | undefined {
    return this.#liveOuter();
  }

  /** Whether what is done here stands in the outer session at once. */
  get mirrored(): boolean {
    return this.#mirrored;
  }

  /** Tool id of the last call while it is not in the log yet, because nothing has happened since it began. */
  get pendingTool(): string | undefined {
    return this.#pending === 0 ? undefined : this.#pendingTool;
  }

  /** Has a function called right before the session ends. It must not throw. */
  onClose(listener: () => void): void {
    this.#closing ??= [];
    this.#closing.push(listener);
  }

  /** Labels of the data that the session has touched. */
  get facts(): ReadonlySet<string> {
    return this.#facts ?? NO_FACTS;
  }

  /** Tool ids of the calls so far, oldest first. */
  get history(): string[] {
    this.flush();
    const log = this.#log;
    const calls: string[] = [];
    for (let at = 0; at < log.length; ) {
      const word = numberAt(log, at);
      const kind = word & 3;
      if (kind === COMPLETE || kind === FAILED) {
        for (let n = word >>> 2; n > 0; n -= 1) calls.push(toolAt(log, at + 1));
        at += 2;
      } else if (kind === BEGAN) {
        calls.push(toolAt(log, at + 1));
        at += 4;
      } else at += 3;
    }
    return calls;
  }

  /** A number that is another one whenever anything has been recorded in between. */
  get moment(): number {
    return this.#family.time + this.facts.size;
  }

  /** For trackers: the raw log. */
  get log(): SessionLog {
    return this.#log;
  }

  /** For trackers: whether sessions within may still join calls that began earlier than now. */
  get mayBeJoined(): boolean {
    return this.#openWithin > 0;
  }

  addFacts(labels: readonly string[]): void {
    this.#facts ??= new Set();
    for (const label of labels) this.#facts.add(label);
    if (this.#mirrored || this.#closed) this.#liveOuter()?.addFacts(labels);
  }

  /**
   * Records that an allowed call begins, inside the running call `enclosing` (0: none), and gives its id.
   * INVARIANT: nothing runs between the decision that allowed the call and this.
   */
  begin(tool: string, enclosing: number): number {
    const id = this.#tick();
    this.#enter(tool, id, enclosing);
    return id;
  }

  #enter(tool: string, id: number, enclosing: number): void {
    if (this.#closed) {
      const outer = this.#liveOuter();
      if (outer !== undefined) outer.#enter(tool, id, enclosing);
      return;
    }
    if (this.#pending !== 0) this.flush();
    this.#length += 1;
    this.#running += 1;
    this.#pending = id;
    this.#pendingTool = tool;
    this.#pendingEnclosing = enclosing;
    if (this.#mirrored) {
      const outer = this.#liveOuter();
      if (outer !== undefined) outer.#enter(tool, id, enclosing);
    }
  }

  /** Records that a call has ended. `released`: it returned and its value was let out. */
  end(id: number, released: boolean): void {
    this.#leave(id, released, this.#tick());
  }

  #leave(id: number, released: boolean, time: number): void {
    if (this.#closed) {
      const outer = this.#liveOuter();
      if (outer !== undefined) outer.#leave(id, released, time);
      return;
    }
    this.#running -= 1;
    const alone = this.#running === 0 && this.#openWithin === 0 && this.#outer === undefined;
    if (this.#pending === id && alone && this.#pendingEnclosing === 0) {
      this.#pending = 0;
      this.#append(this.#pendingTool, released ? COMPLETE : FAILED);
    } else {
      this.flush();
      const flags = (released ? RELEASED : 0) | (this.#openWithin > 0 ? REMEMBER : 0);
      this.#log.push(flags * ABOVE_KIND + ENDED, id, time);
      this.#lastRun = -1;
    }
    if (this.#mirrored) {
      const outer = this.#liveOuter();
      if (outer !== undefined) outer.#leave(id, released, time);
    }
  }

  /** Writes down a whole call: one more of the last run, or a run of its own. */
  #append(tool: string, kind: number): void {
    const log = this.#log;
    const last = this.#lastRun;
    if (last >= 0 && log[last + 1] === tool) {
      const word = numberAt(log, last);
      if ((word & 3) === kind && word < MAX_RUN * ABOVE_KIND) {
        log[last] = word + ABOVE_KIND;
        return;
      }
    }
    this.#lastRun = log.length;
    log.push(ABOVE_KIND + kind, tool);
  }

  /** The next moment. */
  #tick(): number {
    const family = this.#family;
    family.time += 1;
    return family.time;
  }

  /** Writes down a call that has begun and not ended. */
  flush(): void {
    if (this.#pending === 0) return;
    this.#log.push(BEGAN, this.#pendingTool, this.#pending, this.#pendingEnclosing);
    this.#lastRun = -1;
    this.#pending = 0;
  }

  /** Where the session stands with these rules. Caught up with the history. */
  tracker(space: SequenceSpace): SequenceTracker {
    if (this.#space === space && this.#tracker !== undefined) return this.#tracker;
    this.#trackers ??= new Map();
    let tracker = this.#trackers.get(space);
    if (tracker === undefined) {
      if (this.#trackers.size >= MAX_TRACKERS) this.#trackers.clear();
      tracker = new SequenceTracker(space);
      this.#trackers.set(space, tracker);
    }
    this.#space = space;
    this.#tracker = tracker;
    return tracker;
  }

  /** Ends the session. What it did joins the session that it was begun inside of; whoever still holds it finds it dead. */
  close(): void {
    if (this.#closed) return;
    if (this.#closing !== undefined) for (const listener of this.#closing) listener();
    this.flush();
    this.#closed = true;
    this.#tick();
    const outer = this.#liveOuter();
    if (outer === undefined || this.#mirrored) return;
    outer.#join(this);
  }

  /** The innermost session around this one that is still going on. */
  #liveOuter(): Session | undefined {
    while (this.#outer?.open === false) this.#outer = this.#outer.#outer;
    return this.#outer;
  }

  #join(inner: Session): void {
    if (this.#closed) {
      const outer = this.#liveOuter();
      if (outer !== undefined) outer.#join(inner);
      return;
    }
    this.flush();
    this.#lastRun = -1;
    this.#openWithin += inner.#openWithin - 1;
    this.#running += inner.#running;
    this.#length += inner.#length;
    takeOver(inner.#log, this.#log);
    if (inner.#facts !== undefined) this.addFacts([...inner.#facts]);
    if (this.#mirrored) {
      const outer = this.#liveOuter();
      if (outer !== undefined) outer.#join(inner);
    }
  }
}

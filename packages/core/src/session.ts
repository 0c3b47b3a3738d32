import { BEGAN, COMPLETE, ENDED, FAILED, RELEASED, REMEMBER, type SessionLog } from "./sequence/log.js";
import type { SequenceSpace } from "./sequence/space.js";
import { SequenceTracker } from "./sequence/tracker.js";

/** Most trackers (one a plan and role set) kept a session. */
const MAX_TRACKERS = 16;

const NO_FACTS: ReadonlySet<string> = new Set();

/** What sessions begun inside one another share: tool names, and one count of events that is also their time. */
class Family {
  readonly tools: string[] = [];
  readonly indexes = new Map<string, number>();
  time = 0;

  /** The next moment. */
  tick(): number {
    this.time += 1;
    return this.time;
  }

  indexOf(tool: string): number {
    const known = this.indexes.get(tool);
    if (known !== undefined) return known;
    const index = this.tools.length;
    this.tools.push(tool);
    this.indexes.set(tool, index);
    return index;
  }
}

/**
 * The history and the facts of one request: the one mutable cell that a decision reads. A call enters when it is
 * allowed and leaves a mark again when it ends.
 *
 * A session that was begun inside another joins it when it is closed: its history after what the other has by then.
 * A *mirrored* one has no end that anyone can see, so what it does stands in the outer one at once.
 */
export class Session implements SessionLog {
  readonly #family: Family;
  /** The session that this one joins; closed ones on the way are stepped over. */
  #outer: Session | undefined;
  readonly #mirrored: boolean;
  readonly #log: number[] = [];
  #facts: Set<string> | undefined;
  #closed = false;
  #running = 0;
  #openWithin = 0;
  /** The call that began last, while nothing else has happened since; 0: none. */
  #pending = 0;
  #pendingTool = 0;
  #pendingEnclosing = 0;
  /** Whether the log ends in a run (two numbers), so that its last but one number is a kind. */
  #lastIsRun = false;
  #space: SequenceSpace | undefined;
  #tracker: SequenceTracker | undefined;
  #trackers: Map<SequenceSpace, SequenceTracker> | undefined;

  /** Begins an empty session; `outer` is the one it is begun inside of. */
  constructor(outer?: Session, mirrored = false) {
    this.#outer = outer;
    this.#mirrored = outer !== undefined && mirrored;
    this.#family = outer === undefined ? new Family() : outer.#family;
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

  /** Labels of the data that the session has touched. */
  get facts(): ReadonlySet<string> {
    return this.#facts ?? NO_FACTS;
  }

  /** Tool ids of the calls so far, oldest first. */
  get history(): string[] {
    this.flush();
    const calls: string[] = [];
    for (let at = 0; at < this.#log.length; ) {
      const word = this.#log[at] ?? 0;
      const kind = word & 3;
      const tool = this.#family.tools[word >>> 2] ?? "";
      if (kind === COMPLETE || kind === FAILED) {
        for (let n = this.#log[at + 1] ?? 0; n > 0; n -= 1) calls.push(tool);
        at += 2;
      } else {
        if (kind === BEGAN) calls.push(tool);
        at += 3;
      }
    }
    return calls;
  }

  /** A number that is another one whenever anything has been recorded in between. */
  get moment(): number {
    return this.#family.time + this.facts.size;
  }

  /** For trackers: the raw log. */
  get log(): readonly number[] {
    return this.#log;
  }

  /** For trackers: whether sessions within may still join calls that began earlier than now. */
  get mayBeJoined(): boolean {
    return this.#openWithin > 0;
  }

  toolAt(index: number): string {
    return this.#family.tools[index] ?? "";
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
    const id = this.#family.tick();
    this.#enter(this.#family.indexOf(tool), id, enclosing);
    return id;
  }

  #enter(tool: number, id: number, enclosing: number): void {
    if (this.#closed) {
      const outer = this.#liveOuter();
      if (outer !== undefined) outer.#enter(tool, id, enclosing);
      return;
    }
    if (this.#pending !== 0) this.flush();
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
    this.#leave(id, released, this.#family.tick());
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
      const word = this.#pendingTool * 4 + (released ? COMPLETE : FAILED);
      const last = this.#log.length - 2;
      if (last >= 0 && this.#log[last] === word && this.#lastIsRun) {
        this.#log[last + 1] = (this.#log[last + 1] ?? 0) + 1;
      } else {
        this.#log.push(word, 1);
        this.#lastIsRun = true;
      }
    } else {
      this.flush();
      const flags = (released ? RELEASED : 0) | (this.#openWithin > 0 ? REMEMBER : 0);
      this.#log.push(flags * 4 + ENDED, id, time);
      this.#lastIsRun = false;
    }
    if (this.#mirrored) {
      const outer = this.#liveOuter();
      if (outer !== undefined) outer.#leave(id, released, time);
    }
  }

  /** Writes down a call that has begun and not ended. */
  flush(): void {
    if (this.#pending === 0) return;
    this.#log.push(this.#pendingTool * 4 + BEGAN, this.#pending, this.#pendingEnclosing);
    this.#lastIsRun = false;
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
    this.flush();
    this.#closed = true;
    this.#family.tick();
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
    this.#lastIsRun = false;
    this.#openWithin += inner.#openWithin - 1;
    this.#running += inner.#running;
    const log = inner.#log;
    for (let at = 0; at < log.length; at += 3) {
      const word = log[at] ?? 0;
      const kept = (word & 3) === ENDED ? word | (REMEMBER << 2) : word;
      this.#log.push(kept, log[at + 1] ?? 0, log[at + 2] ?? 0);
    }
    if (inner.#facts !== undefined) this.addFacts([...inner.#facts]);
    if (this.#mirrored) {
      const outer = this.#liveOuter();
      if (outer !== undefined) outer.#join(inner);
    }
  }
}

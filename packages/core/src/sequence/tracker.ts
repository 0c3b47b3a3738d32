import { LiveSequence } from "./live.js";
import { BEGAN, COMPLETE, FAILED, RELEASED, REMEMBER, type SessionLog } from "./log.js";
import type { SequenceNode, SequenceSpace } from "./space.js";
import type { SequenceDenial } from "./state.js";

/**
 * How far a session has come with the sequence rules of one role set: follows the session's log, so a swapped policy
 * or a second instance simply reads it from the start.
 */
export class SequenceTracker {
  readonly #space: SequenceSpace;
  #node: SequenceNode;
  /** Set while calls overlap; then `#node` is out of date. */
  #live: LiveSequence | undefined;
  #at = 0;
  /** How much of a run at `#at` has been read. */
  #ofRun = 0;
  readonly #classes: number[] = [];

  constructor(space: SequenceSpace) {
    this.#space = space;
    this.#node = space.initial;
  }

  /** Why a call of this class, from inside the running call `enclosing` (0: none), may not begin now. */
  denial(session: SessionLog, toolClass: number, enclosing: number): SequenceDenial | undefined {
    session.flush();
    this.#catchUp(session);
    if (this.#live !== undefined) return this.#live.denialOf(toolClass, enclosing);
    return this.#space.denial(this.#node, toolClass);
  }

  #catchUp(session: SessionLog): void {
    const { log } = session;
    while (this.#at < log.length) {
      const word = log[this.#at] ?? 0;
      const kind = word & 3;
      const first = log[this.#at + 1] ?? 0;
      if (kind === COMPLETE || kind === FAILED) {
        this.#settle();
        this.#run(this.#classOf(session, word >>> 2), kind === COMPLETE, first - this.#ofRun);
        this.#ofRun = first;
        // The last run may still grow.
        if (this.#at + 2 >= log.length) return;
        this.#at += 2;
        this.#ofRun = 0;
        continue;
      }
      const second = log[this.#at + 2] ?? 0;
      if (kind === BEGAN) {
        this.#live ??= new LiveSequence(this.#space.program, this.#node.state.roles);
        this.#live.begin(first, this.#classOf(session, word >>> 2), second, first);
      } else {
        const flags = word >>> 2;
        this.#live?.end(first, (flags & RELEASED) !== 0, second, (flags & REMEMBER) !== 0);
      }
      this.#at += 3;
    }
    if (this.#live !== undefined && this.#live.running === 0 && !session.mayBeJoined) this.#settle();
  }

  #run(toolClass: number, released: boolean, calls: number): void {
    for (let n = calls; n > 0; n -= 1) {
      const next = this.#space.after(this.#node, toolClass, released);
      // A state that a call leads back to itself stays put however often it is made.
      if (next === this.#node) return;
      this.#node = next;
    }
  }

  #settle(): void {
    if (this.#live === undefined) return;
    this.#node = this.#space.intern(this.#live.settled());
    this.#live = undefined;
  }

  #classOf(session: SessionLog, tool: number): number {
    const known = this.#classes[tool];
    if (known !== undefined) return known;
    const found = this.#space.program.classOf(session.toolAt(tool));
    this.#classes[tool] = found;
    return found;
  }
}

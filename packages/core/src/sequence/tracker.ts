import { LiveSequence } from "./live.js";
import { BEGAN, COMPLETE, FAILED, type LoggedSession, numberAt, RELEASED, REMEMBER, toolAt } from "./log.js";
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
  /** The tool that was judged last, most often the next to come in the log, and its class. */
  #judged = "";
  #judgedClass = 0;

  constructor(space: SequenceSpace) {
    this.#space = space;
    this.#node = space.initial;
  }

  /** Why a call of this tool, from inside the running call `enclosing` (0: none), may not begin now. */
  denial(
    session: LoggedSession,
    tool: string,
    toolClass: number,
    enclosing: number,
  ): SequenceDenial | undefined {
    session.flush();
    this.#catchUp(session);
    this.#judged = tool;
    this.#judgedClass = toolClass;
    if (this.#live !== undefined) return this.#live.denialOf(toolClass, enclosing);
    return this.#space.denial(this.#node, toolClass);
  }

  #catchUp(session: LoggedSession): void {
    const { log } = session;
    while (this.#at < log.length) {
      const at = this.#at;
      const word = numberAt(log, at);
      const kind = word & 3;
      if (kind === COMPLETE || kind === FAILED) {
        const count = word >>> 2;
        if (count > this.#ofRun) {
          this.#settle();
          this.#run(this.#classOf(toolAt(log, at + 1)), kind === COMPLETE, count - this.#ofRun);
          this.#ofRun = count;
        }
        // The last run may still grow.
        if (at + 2 >= log.length) return;
        this.#at += 2;
        this.#ofRun = 0;
      } else if (kind === BEGAN) {
        const id = numberAt(log, at + 2);
        this.#live ??= new LiveSequence(this.#space.program, this.#node.state.roles);
        this.#live.begin(id, this.#classOf(toolAt(log, at + 1)), numberAt(log, at + 3), id);
        this.#at += 4;
      } else {
        const flags = word >>> 2;
        const released = (flags & RELEASED) !== 0;
        this.#live?.end(numberAt(log, at + 1), released, numberAt(log, at + 2), (flags & REMEMBER) !== 0);
        this.#at += 3;
      }
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

  #classOf(tool: string): number {
    return tool === this.#judged ? this.#judgedClass : this.#space.program.classOf(tool);
  }
}

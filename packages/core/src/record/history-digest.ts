import { sha256Hex } from "#platform/sha256";
import { canonicalJson, type HexDigest } from "../canonical/canonical-json.js";
import { encodeTagged } from "../canonical/tagged.js";
import { BEGAN, COMPLETE, FAILED, numberAt, type SessionLog, toolAt } from "../sequence/log.js";
import type { Session } from "../session.js";

/** What stands before the first call of a history, and before the first line of a log. */
// Sixty-four zeros are the text of no digest that anybody has found, and have its shape.
export const NOTHING_BEFORE = "0".repeat(64) as HexDigest;

/** The digest of a history that is one call longer. */
export function historyAfter(before: HexDigest, tool: string): HexDigest {
  // SHA-256 in lower-case hex is what the type stands for.
  return sha256Hex(`["${before}",${canonicalJson(encodeTagged(tool))}]`) as HexDigest;
}

/**
 * The rolling digest over the tool ids of a session's calls, in the order in which they began. Follows the session's log,
 * so it may be asked later than the moment that it speaks of: what the first calls of a history were never changes.
 */
export class HistoryDigest {
  readonly #session: Session;
  #at = 0;
  /** How much of a run at `#at` has been read. */
  #ofRun = 0;
  #count = 0;
  #digest: HexDigest = NOTHING_BEFORE;

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * The digest of the first `count` calls.
   *
   * @throws RangeError when that is fewer than before, or more than the session has
   */
  upTo(count: number): HexDigest {
    if (count < this.#count) throw new RangeError("`count` must not fall");
    this.#follow(this.#session.log, count);
    if (this.#count === count) return this.#digest;
    const { pendingTool } = this.#session;
    // The pending call gets its place in the log later, and is read from there then.
    if (this.#count + 1 === count && pendingTool !== undefined) {
      return historyAfter(this.#digest, pendingTool);
    }
    throw new RangeError("`count` is more than the calls of the session");
  }

  #follow(log: SessionLog, count: number): void {
    while (this.#count < count && this.#at < log.length) {
      const word = numberAt(log, this.#at);
      const kind = word & 3;
      const isRun = kind === COMPLETE || kind === FAILED;
      const calls = isRun ? word >>> 2 : kind === BEGAN ? 1 : 0;
      if (this.#ofRun < calls) {
        this.#digest = historyAfter(this.#digest, toolAt(log, this.#at + 1));
        this.#ofRun += 1;
        this.#count += 1;
        continue;
      }
      const next = this.#at + (isRun ? 2 : kind === BEGAN ? 4 : 3);
      // The last run may still grow.
      if (isRun && next >= log.length) return;
      this.#at = next;
      this.#ofRun = 0;
    }
  }
}

import { HistoryDigest, Session } from "d2-core";
import { dropFirst } from "./drop-first.js";
import type { CallIntent } from "./event.js";

/** A session of a log, followed with the guard's own class. */
export class Followed {
  readonly session: Session;
  readonly history: HistoryDigest;
  /** The same session as another policy sees it: the same calls, other facts. Only where policies are compared. */
  readonly shadow: Session | undefined;
  /** Has for facts only the labels that the recorded policies gave. Only where policies are compared. */
  readonly labels: Session | undefined;
  /** Whether some session had been forgotten before this one was seen: it may be one of those. */
  readonly mayBeForgotten: boolean;

  constructor(outer: Followed | undefined, mirrored: boolean, comparing: boolean, mayBeForgotten: boolean) {
    this.session = new Session(outer?.session, mirrored);
    this.history = new HistoryDigest(this.session);
    this.shadow = comparing ? new Session(outer?.shadow, mirrored) : undefined;
    this.labels = comparing ? new Session(outer?.labels, mirrored) : undefined;
    this.mayBeForgotten = mayBeForgotten;
  }

  close(): void {
    this.session.close();
    this.shadow?.close();
    this.labels?.close();
  }
}

/** The sessions of a log that go on, the longest idle first. */
export class SessionBook {
  readonly #max: number;
  readonly #comparing: boolean;
  readonly #sessions = new Map<string, Followed>();
  #forgotten = 0;

  constructor(max: number, comparing: boolean) {
    this.#max = max;
    this.#comparing = comparing;
  }

  /** Sessions that were forgotten because there were too many. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** The session of a call; begun now, inside of those around it, if this is the first that is seen of it. */
  of(id: string, around: CallIntent["around"]): Followed {
    const known = this.#sessions.get(id);
    if (known !== undefined) {
      // Moved to the end: it is the one that was used last.
      this.#sessions.delete(id);
      this.#sessions.set(id, known);
      return known;
    }
    let outer: Followed | undefined;
    for (let at = around.length - 1; at >= 0; at -= 1) {
      const one = around[at];
      if (one === undefined) continue;
      outer = this.#sessions.get(one.id) ?? this.#begin(one.id, outer, around[at + 1]?.mirrored ?? false);
    }
    return this.#begin(id, outer, around[0]?.mirrored ?? false);
  }

  #begin(id: string, outer: Followed | undefined, mirrored: boolean): Followed {
    if (this.#sessions.size >= this.#max) {
      dropFirst(this.#sessions);
      this.#forgotten += 1;
    }
    const session = new Followed(outer, mirrored, this.#comparing, this.#forgotten > 0);
    this.#sessions.set(id, session);
    return session;
  }

  /** Ends a session. False: it is not known. */
  end(id: string): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined) return false;
    session.close();
    this.#sessions.delete(id);
    return true;
  }
}

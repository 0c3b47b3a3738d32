import { type HexDigest, NOTHING_BEFORE, type NotReplayable, sha256Hex } from "d2-core";

/** Why a recorded decision was not taken again. */
export type NotReplayedCause =
  | NotReplayable
  /** The policy was not given, or what was given is not it. */
  | "policy_missing"
  /** The session made calls that the log does not have: they were lost, or recorded elsewhere. */
  | "history_incomplete"
  /** As before, and the session may be one that was forgotten because there were too many. */
  | "session_forgotten"
  /** The recorded decision is an `evaluation_error`, which may come from beside the inputs. */
  | "evaluation_error";

/** What became of the decisions of a log. */
export interface ReplayCounts {
  /** Decisions that were taken again and are to the byte what was recorded. */
  readonly matched: number;
  /** Decisions that do not follow from what was recorded. */
  readonly different: number;
  readonly notReplayable: number;
  readonly causes: { readonly [cause in NotReplayedCause]?: number };
  /** Values that tools with output rules returned, without a decision on their release. */
  readonly missingReleases: number;
  readonly forgottenSessions: number;
  /** Rolling digest over the digests of all decisions that were taken again: equal replays have equal ones. */
  readonly digest: HexDigest;
}

/** Counts what became of decisions. */
export class ReplayTally {
  #matched = 0;
  #different = 0;
  #notReplayable = 0;
  missingReleases = 0;
  readonly #causes = new Map<NotReplayedCause, number>();
  #digest: HexDigest = NOTHING_BEFORE;

  /** A decision was taken again, and its event has this digest. */
  replayed(digest: string, matches: boolean): void {
    if (matches) this.#matched += 1;
    else this.#different += 1;
    // SHA-256 in lower-case hex is what the type stands for.
    this.#digest = sha256Hex(`["${this.#digest}","${digest}"]`) as HexDigest;
  }

  /** A decision whose inputs are not what the log shows. */
  contradicted(): undefined {
    this.#different += 1;
    return undefined;
  }

  notReplayable(cause: NotReplayedCause): undefined {
    this.#notReplayable += 1;
    this.#causes.set(cause, (this.#causes.get(cause) ?? 0) + 1);
    return undefined;
  }

  counts(forgottenSessions: number): ReplayCounts {
    return {
      matched: this.#matched,
      different: this.#different,
      notReplayable: this.#notReplayable,
      causes: Object.fromEntries(this.#causes),
      missingReleases: this.missingReleases,
      forgottenSessions,
      digest: this.#digest,
    };
  }
}

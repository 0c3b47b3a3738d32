import type { ChainPosition } from "d2-core";
import type { Finding, FindingReason } from "./finding.js";
import type { Head, HeadCounts, VerifySignature } from "./heads.js";
import type { LogCounts } from "./tally.js";

export interface VerifyOptions {
  /**
   * Where the chain stood before the first line, when that is not the log's first. What belongs to calls that began before
   * is not checked against them. Default: the beginning.
   */
  readonly from?: ChainPosition | undefined;
  /** Signed heads of the log. Without any, a tail that was cut off does not show. */
  readonly heads?: readonly Head[] | undefined;
  /** Verifies a head's signature. Absent: heads are held against the log, but their signatures are not looked at. */
  readonly verifySignature?: VerifySignature | undefined;
  /** Name of the log's stream. Default: that of the heads, or of the first event that names one. */
  readonly stream?: string | undefined;
  readonly onProgress?: ((progress: { readonly events: number; readonly bytes: number }) => void) | undefined;
  /** Lines between reports of progress. Default 100,000. */
  readonly progressEvery?: number | undefined;
  /** Findings that are listed; all are counted. Default 100. */
  readonly maxFindings?: number | undefined;
  /** Characters that a line may have. Default 64 Mi. */
  readonly maxLineLength?: number | undefined;
  /** Calls running at once that are kept apart; what comes of further ones is a finding. Default 100,000. */
  readonly maxOpenCalls?: number | undefined;
}

export interface VerifyResult {
  /** No finding. Says nothing of a torn tail, and nothing of what no head covers. */
  readonly ok: boolean;
  readonly counts: LogCounts;
  /** Calls without an end, as a killed process leaves them: no sign of tampering of their own. */
  readonly unfinished: {
    /** INTENTs without a DECISION. */
    readonly undecided: number;
    /** ALLOWs without a PROOF. */
    readonly unproven: number;
    /** Allowed calls without an EXECUTION. */
    readonly running: number;
  };
  /** The first ones, in the order of the log. */
  readonly findings: readonly Finding[];
  /** How many there are of each kind. */
  readonly totals: { readonly [reason in FindingReason]?: number };
  /** What stands after the last line feed: a line that was being written. It is set aside and not read. */
  readonly tornTail: { readonly characters: number } | undefined;
  readonly heads: HeadCounts;
  /** Where the chain stands at the end: `from` of the file that goes on. */
  readonly position: ChainPosition;
}

import type { PolicyLookup } from "./policy-shelf.js";
import type { ReplayCounts } from "./replay-tally.js";
import type { VerifyOptions, VerifyResult } from "./verify-options.js";

export interface ReplayOptions extends VerifyOptions {
  /** Finds the policies that the log names. One that is not found makes its decisions not replayable. */
  readonly policies: PolicyLookup;
  /** Sessions that are followed at once; beyond it the longest idle is forgotten, and counted. Default 100,000. */
  readonly maxSessions?: number | undefined;
}

export interface ReplayResult extends VerifyResult {
  readonly replay: ReplayCounts;
}

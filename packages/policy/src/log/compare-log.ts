import type { LoadedPolicy } from "../load-policy.js";
import type { Changes } from "./change.js";
import { ChangeList } from "./change-list.js";
import { Comparison, type NotComparedCause } from "./comparison.js";
import type { LogSource } from "./lines.js";
import { compileGiven } from "./policy-shelf.js";
import { runReplay } from "./replay-log.js";
import type { ReplayOptions, ReplayResult } from "./replay-options.js";

export interface CompareOptions extends ReplayOptions {
  /** The other policy: its text (YAML or JSON), its object form, or loaded. Whether it has expired is not looked at. */
  readonly against: string | object | LoadedPolicy;
  /** Changes that are listed one by one; all are counted. Default 20. */
  readonly maxExamples?: number | undefined;
  /** Users, roles and tools that are counted apart, of each. Default 1,000. */
  readonly maxGroups?: number | undefined;
}

export interface CompareResult extends ReplayResult {
  readonly comparison: {
    /** Digest of the other policy. */
    readonly against: string;
    /** Decisions that both policies have taken. */
    readonly compared: number;
    /** Decisions that could not be compared, by cause. Never counted as unchanged. */
    readonly notCompared: { readonly [cause in NotComparedCause]?: number };
    readonly changes: Changes;
  };
}

/**
 * Replays a decision log, and lists what another policy would have decided otherwise on the same inputs.
 *
 * The history stays as it happened: the other policy is asked about each call as if everything before it had gone as
 * recorded, also where it would have refused some of that. Of the recorded facts it sees those that no label of the
 * recorded policies explains, and what its own labels give for the session's allowed calls.
 *
 * @throws {ConfigurationError} (as a rejection) when `against` has faults
 */
export async function compareLog(source: LogSource, options: CompareOptions): Promise<CompareResult> {
  const against = compileGiven(options.against);
  const list = new ChangeList(options.maxExamples ?? 20, options.maxGroups ?? 1000);
  const comparison = new Comparison(against, list);
  const result = await runReplay(source, options, comparison);
  return {
    ...result,
    comparison: {
      against: against.identity.policyDigest,
      compared: comparison.compared,
      notCompared: comparison.notCompared,
      changes: list.changes,
    },
  };
}

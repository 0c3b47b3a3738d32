/** Kinds of what a policy says, in the order in which a report lists them. */
export const COVERAGE_KINDS = [
  "role",
  "permission",
  "denial",
  "sequence_rule",
  "label",
  "block",
  "input_rule",
  "output_rule",
  "action",
  "global_rule",
] as const;

export type CoverageKind = (typeof COVERAGE_KINDS)[number];

/** Something that the policy says, and which of the things that it can do tests have seen it do. */
export interface CoverageItem {
  readonly kind: CoverageKind;
  /** Document path; of a rule with several operators each is an item. */
  readonly rule: string;
  /** What it says: `` `amount` must be at most 100 ``. */
  readonly words: string;
  readonly line?: number;
  readonly column?: number;
  /** Every outcome that tests should see, and how many calls or released values had it. */
  readonly outcomes: readonly { readonly outcome: string; readonly hits: number }[];
}

/** An outcome that an item of the policy has had; items are told apart by their keys. */
export type Outcome = readonly [key: string, outcome: string];

/** Outcomes seen, of all. */
export interface CoverageShare {
  readonly seen: number;
  readonly of: number;
  /** Rounded down to one decimal; 100 only when all are seen, and when there are none. */
  readonly percent: number;
}

/** How much of a policy tests have touched. */
export interface Coverage extends CoverageShare {
  readonly policyFile: string | undefined;
  /** Kinds that the policy has none of are left out. */
  readonly kinds: readonly (CoverageShare & { readonly kind: CoverageKind })[];
  /** In the order of the kinds, each in the order of the document. */
  readonly items: readonly CoverageItem[];
}

export function shareOf(items: readonly CoverageItem[]): CoverageShare {
  const outcomes = items.flatMap((item) => item.outcomes);
  const seen = outcomes.filter(({ hits }) => hits > 0).length;
  const percent = outcomes.length === 0 ? 100 : Math.floor((1000 * seen) / outcomes.length) / 10;
  return { seen, of: outcomes.length, percent };
}

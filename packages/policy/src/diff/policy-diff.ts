/**
 * What a change does to what users may do: `tightened` refuses more or cleans more, `loosened` less, `changed` cannot be
 * ranked (another pattern, another order of actions), `neutral` decides nothing otherwise (another reason code, rules
 * written another way).
 */
export type ChangeDirection = "tightened" | "loosened" | "changed" | "neutral";

export type ChangeKind =
  | "expires"
  | "role_added"
  | "role_removed"
  | "permission_gained"
  | "permission_lost"
  /** `allow: false` where the role grants nothing itself: it matters to users who hold further roles. */
  | "denial_added"
  | "denial_removed"
  /** Denied before and after, with another reason code. */
  | "reason"
  /** A guardrail on an argument. */
  | "input"
  /** A rule without action on what the tool returns. */
  | "output"
  /** A rule with an action on what the tool returns, or the order of such rules. */
  | "action"
  /** `deny_if_patterns`, `require_fields_absent` or `max_bytes`. */
  | "global"
  /** Which labels block a tool, whoever put them among the facts. */
  | "block"
  | "sequence_opened"
  | "sequence_closed"
  /** Sequence rules that read otherwise and decide the same. */
  | "sequence_rewritten"
  /** The search for sequences stopped at its bound. */
  | "search_stopped";

/** A rule, and where it stands in its text, if that is known. */
export interface RulePlace {
  /** Document path, such as `policies[0].permissions[2]`. */
  readonly rule: string;
  readonly line?: number;
  readonly column?: number;
}

/** One call of an example. */
export interface ExampleCall {
  /** A made-up id such as `database.other` stands for any tool of `database.*` that no policy names. */
  readonly tool: string;
  /**
   * How it ended: `released`; `failed` (it threw, or its value was refused); `released_before` under the old policy only,
   * while the new one refused the value; `next` is the call that the policies decide differently.
   */
  readonly ended: "released" | "failed" | "released_before" | "next";
}

export interface PolicyChange {
  readonly kind: ChangeKind;
  readonly direction: ChangeDirection;
  /** One sentence. It may show operands of the policies. */
  readonly words: string;
  /**
   * The users concerned, each by the roles that they hold: `[["analyst"], ["analyst", "viewer"]]`. Empty: everybody.
   * For a `together` change, users who hold these roles and others as well.
   */
  readonly roleSets: readonly (readonly string[])[];
  /** Whether it matters only to users who hold further roles. */
  readonly together: boolean;
  /**
   * The tools concerned: ids, groups and patterns. A pattern stands for those of its tools that are not named
   * elsewhere. Empty: no tool in particular.
   */
  readonly tools: readonly string[];
  /** Argument or field path as the rules write it. */
  readonly path?: string;
  /** The rules at work in the old policy, and in the new one. */
  readonly before: readonly RulePlace[];
  readonly after: readonly RulePlace[];
  /** The shortest sequence of calls that the policies decide differently. */
  readonly example?: readonly ExampleCall[];
}

/** What changed in meaning between two policies. Plain data, deeply frozen, in a fixed order. */
export interface PolicyDiff {
  readonly before: { readonly name: string; readonly version: string };
  readonly after: { readonly name: string; readonly version: string };
  /**
   * All changes together, neutral ones apart: `same` when there is none, `mixed` when some tighten and some loosen,
   * `changed` when nothing loosens for certain and something cannot be ranked.
   */
  readonly direction: "same" | "tightened" | "loosened" | "mixed" | "changed";
  /** Whether some change loosens for certain. */
  readonly loosened: boolean;
  /** Whether anything may have been loosened: a change that loosens, one that cannot be ranked, or a search that stopped. */
  readonly mayLoosen: boolean;
  /** Whether the search for sequences stopped at its bound before it had seen everything. */
  readonly incomplete: boolean;
  readonly counts: { readonly [direction in ChangeDirection]: number };
  readonly changes: readonly PolicyChange[];
}

import type { Decision, ReasonCode } from "d2-core";

/** How two answers to the same call or value differ. */
export type ChangeKind =
  | "allow_to_deny"
  | "deny_to_allow"
  /** Both deny, for different reasons. */
  | "reason"
  /** Both let a value out, changed in different ways. */
  | "transforms";

export interface Answer {
  readonly outcome: "allow" | "deny";
  readonly reason: ReasonCode;
  readonly rule?: string | undefined;
  readonly detail?: string | undefined;
}

/** One decision that another policy takes otherwise. */
export interface Change {
  readonly kind: ChangeKind;
  /** Whether it is about what a tool returned. */
  readonly release: boolean;
  /** Of the DECISION's line. */
  readonly index: number;
  readonly correlationId: string;
  readonly tool: string;
  /** `undefined`: no user, or one whose id is no well-formed text. */
  readonly user: string | undefined;
  readonly roles: readonly string[];
  readonly before: Answer;
  readonly after: Answer;
}

export type ChangeCounts = { readonly [kind in ChangeKind]: number };

/** The changes that have a user, role, tool or reason in common. */
export interface ChangeGroup {
  readonly name: string;
  readonly changes: number;
  readonly kinds: ChangeCounts;
}

export interface Changes {
  readonly total: number;
  readonly kinds: ChangeCounts;
  /** Most changes first, then by name. Without a user the name is empty. */
  readonly byUser: readonly ChangeGroup[];
  /** A change counts for every role of its user; without roles the name is empty. */
  readonly byRole: readonly ChangeGroup[];
  readonly byTool: readonly ChangeGroup[];
  /** By the two reason codes: `ok -> rbac_denied`. */
  readonly byReason: readonly ChangeGroup[];
  /** Changes that are in no group of a kind because there were too many groups. */
  readonly ungrouped: { readonly user: number; readonly role: number; readonly tool: number };
  /** The first ones, in the order of the log. */
  readonly examples: readonly Change[];
}

/** The part of a decision that is shown. */
export function answerOf({ outcome, reason, rule, detail }: Decision): Answer {
  return {
    outcome,
    reason,
    ...(rule === undefined ? {} : { rule }),
    ...(detail === undefined ? {} : { detail }),
  };
}

/** How two answers differ; `undefined`: in nothing that counts. Another rule for the same reason does not. */
export function kindOfChange(before: Answer, after: Answer): ChangeKind | undefined {
  if (before.outcome !== after.outcome) return before.outcome === "allow" ? "allow_to_deny" : "deny_to_allow";
  return before.reason === after.reason ? undefined : "reason";
}

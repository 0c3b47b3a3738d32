/** Every reason code there is, stable for ever. */
export const REASON_CODES = [
  "ok",
  "no_context",
  "missing_policy",
  "rbac_denied",
  "sequence_violation",
  "data_flow_violation",
  "input_validation",
  "output_validation",
  "output_sanitization",
  "policy_unavailable",
  "policy_expired",
  "strict_sync",
  "evaluation_error",
] as const;

export type ReasonCode = (typeof REASON_CODES)[number];

/** The layer that decided, in the order in which they are asked. */
export type Layer =
  | "policy_state"
  | "context"
  | "permission"
  | "sequence"
  | "data_flow"
  | "input"
  | "output"
  | "none";

/** One broken rule. The offending value is nowhere in it. */
export interface Violation {
  /** Argument or field path as the rule wrote it. */
  readonly path: string;
  /** Operator name, or what the rule was about: `not_inspectable`, `unnamed`, `deny_if_patterns`, ... */
  readonly operator: string;
  /** The operand as the policy has it; absent where there is none. */
  readonly operand?: unknown;
  /** One sentence without the operand and without the value. */
  readonly message: string;
}

/** The answer to "may this call run?" or "may this value leave?". Frozen. */
export interface Decision {
  readonly outcome: "allow" | "deny";
  readonly reason: ReasonCode;
  readonly layer: Layer;
  /** Document path of the deciding rule, such as `policies[0].sequence[1]`; absent when no rule decided. */
  readonly rule?: string;
  /** A finer word within the reason: `not_inspectable`, `unnamed_arguments`, the sequence rule's `reason` text, ... */
  readonly detail?: string;
  readonly violations: readonly Violation[];
}

const NO_VIOLATIONS: readonly Violation[] = Object.freeze([]);

/** The decision of every call that no layer objects to. */
export const ALLOW: Decision = Object.freeze({
  outcome: "allow",
  reason: "ok",
  layer: "none",
  violations: NO_VIOLATIONS,
});

/** Makes a frozen denial. */
export function deny(
  reason: Exclude<ReasonCode, "ok">,
  layer: Layer,
  facts: {
    readonly rule?: string;
    readonly detail?: string;
    readonly violations?: readonly Violation[];
  } = {},
): Decision {
  const { rule, detail, violations } = facts;
  return Object.freeze({
    outcome: "deny",
    reason,
    layer,
    ...(rule === undefined ? {} : { rule }),
    ...(detail === undefined ? {} : { detail }),
    violations: violations === undefined ? NO_VIOLATIONS : Object.freeze(violations.slice()),
  });
}

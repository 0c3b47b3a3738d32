import { type HexDigest, isHexDigest } from "../canonical/canonical-json.js";
import { InvalidDecisionError } from "./contract-error.js";
import { PolicyId, PolicyVersion, TenantId } from "./id.js";
import type { PolicyContext } from "./policy-context.js";

/** The two answers that there are. */
export const DecisionOutcome = Object.freeze({ ALLOW: "ALLOW", DENY: "DENY" } as const);
export type DecisionOutcome = (typeof DecisionOutcome)[keyof typeof DecisionOutcome];

/** Whether a value is one of the two outcomes. */
export function isOutcome(value: unknown): value is DecisionOutcome {
  return value === "ALLOW" || value === "DENY";
}

/** What a policy answers. A `PolicyDecision` is one; its further fields are set anew by `decideSafe`. */
export interface PolicyVerdict {
  readonly outcome: DecisionOutcome;
  /** Any non-empty text; `reasonCodes` lists the known ones. */
  readonly reasonCode: string;
  /** Becomes part of the decision's event, and so of its digest: keep user data out of it. Default null. */
  readonly reasonMessage?: string | null | undefined;
}

/**
 * A policy of the contract. `evaluate` must be a pure function of the context: no clock, randomness, environment,
 * network, or state that changes.
 */
export interface Policy {
  readonly policyId: string;
  readonly policyVersion: string;
  evaluate(context: PolicyContext): PolicyVerdict;
}

export interface PolicyDecisionFields extends PolicyVerdict {
  readonly policyId: string;
  readonly policyVersion: string;
  readonly tenantId: string;
  /** Digest of the inputs that were decided on. Default empty: none were accepted. */
  readonly authoritativeDigest?: string;
}

/** A decision with who took it, for whom, and on what. Frozen. */
export class PolicyDecision implements PolicyVerdict {
  readonly outcome: DecisionOutcome;
  readonly reasonCode: string;
  readonly policyId: PolicyId;
  readonly policyVersion: PolicyVersion;
  readonly tenantId: TenantId;
  readonly authoritativeDigest: HexDigest | "";
  readonly reasonMessage: string | null;

  /**
   * @throws {InvalidDecisionError} for another outcome, an empty reason code, ill-formed text, or no digest
   * @throws {InvalidIdError} for an id that is none
   */
  constructor(fields: PolicyDecisionFields) {
    const { outcome, reasonCode, reasonMessage = null, authoritativeDigest = "" } = fields;
    if (!isOutcome(outcome)) throw new InvalidDecisionError("`outcome` must be `ALLOW` or `DENY`");
    if (!isText(reasonCode) || reasonCode === "") {
      throw new InvalidDecisionError("`reasonCode` must be a well-formed, non-empty string");
    }
    if (reasonMessage !== null && !isText(reasonMessage)) {
      throw new InvalidDecisionError("`reasonMessage` must be a well-formed string or null");
    }
    if (authoritativeDigest !== "" && !isHexDigest(authoritativeDigest)) {
      throw new InvalidDecisionError("`authoritativeDigest` must be 64 lower-case hex digits, or empty");
    }
    this.outcome = outcome;
    this.reasonCode = reasonCode;
    this.policyId = PolicyId(fields.policyId);
    this.policyVersion = PolicyVersion(fields.policyVersion);
    this.tenantId = TenantId(fields.tenantId);
    this.authoritativeDigest = authoritativeDigest;
    this.reasonMessage = reasonMessage;
    Object.freeze(this);
  }
}

/** Whether a value is a string that has a canonical form. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && !/\p{Cs}/u.test(value);
}

import type { Policy, PolicyVerdict } from "./policy-decision.js";
import { reasonCodes } from "./reason-codes.js";

// Names, version and messages are hashed in events: they are those of the contract's first implementation.

function constant(policyId: string, verdict: PolicyVerdict): Policy {
  Object.freeze(verdict);
  return Object.freeze({ policyId, policyVersion: "0.2.2", evaluate: () => verdict });
}

/** Allows everything. For development. */
export const ALLOW_ALL: Policy = constant("dbl_policy.allow_all", {
  outcome: "ALLOW",
  reasonCode: reasonCodes.allowAll,
  reasonMessage: "development allow-all policy",
});

/** Denies everything. */
export const DENY_ALL: Policy = constant("dbl_policy.deny_all", {
  outcome: "DENY",
  reasonCode: reasonCodes.denyAll,
  reasonMessage: "default deny-all policy",
});

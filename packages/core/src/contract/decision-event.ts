import { DblEvent } from "./dbl-event.js";
import type { PolicyDecision } from "./policy-decision.js";

/**
 * The DECISION event of a decision: `data {gate {decision, reason_code, reason_message?}, policy_id, policy_version,
 * tenant_id}`. The digest of the inputs is not in it; the chain's INTENT has that.
 *
 * @throws {InvalidEventError} for an empty correlation id
 */
export function decisionToDblEvent(decision: PolicyDecision, correlationId: string): DblEvent {
  const { outcome, reasonCode, reasonMessage, policyId, policyVersion, tenantId } = decision;
  return new DblEvent({
    eventKind: "DECISION",
    correlationId,
    data: {
      gate: {
        decision: outcome,
        reason_code: reasonCode,
        ...(reasonMessage === null ? {} : { reason_message: reasonMessage }),
      },
      policy_id: policyId,
      policy_version: policyVersion,
      tenant_id: tenantId,
    },
  });
}

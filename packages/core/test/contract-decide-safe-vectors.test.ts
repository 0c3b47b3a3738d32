import { decideSafe } from "../src/contract/decide-safe.js";
import { decisionToDblEvent } from "../src/contract/decision-event.js";
import { policyOf } from "./described-gate.js";
import { build } from "./encoded-input.js";
import { checkVectors, type Fields } from "./vector-agreement.js";

for (const file of ["decide_safe.json", "compose.json"]) {
  checkVectors(file, {}, (input) => {
    // The shape that the vectors' README gives.
    const { policy, tenant_id, inputs, correlation_id } = input as Fields;
    const decision = decideSafe(policyOf(policy), tenant_id as string, build(inputs));
    const event = decisionToDblEvent(decision, correlation_id as string);
    return {
      outcome: decision.outcome,
      reason_code: decision.reasonCode,
      reason_message: decision.reasonMessage,
      policy_id: decision.policyId,
      policy_version: decision.policyVersion,
      tenant_id: decision.tenantId,
      authoritative_digest: decision.authoritativeDigest,
      event: { canonical: event.canonical, digest: event.digest },
    };
  });
}

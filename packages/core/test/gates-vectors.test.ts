import { decisionToDblEvent } from "../src/contract/decision-event.js";
import { PolicyContext } from "../src/contract/policy-context.js";
import { describeDigest, describeJson, RootPolicy, treePayload } from "../src/gates.js";
import { gateOf, policyOf } from "./described-gate.js";
import { build } from "./encoded-input.js";
import { checkVectors, type Fields } from "./vector-agreement.js";

const CODES = { ValueError: "invalid_gate", ValidationError: "invalid_gate" };

// The casts in here state the shapes that the vectors' README gives.

checkVectors("gates_eval.json", CODES, (input) => {
  const { gate: encoded, tenant_id, inputs } = input as Fields;
  const gate = gateOf(encoded);
  const context = new PolicyContext(tenant_id as string, build(inputs));
  const { outcome, reasonCode, detail } = gate.evaluate(context);
  const decision = new RootPolicy({ policyId: "g", policyVersion: "1", root: gate }).evaluate(context);
  const event = decisionToDblEvent(decision, "c1");
  return {
    outcome,
    reason_code: reasonCode,
    detail,
    root: {
      reason_message: decision.reasonMessage,
      authoritative_digest: decision.authoritativeDigest,
      event_canonical: event.canonical,
      event_digest: event.digest,
    },
  };
});

checkVectors("gates_describe.json", CODES, (input) => {
  const policy = { kind: "root_policy", ...(input as Fields) };
  const isPolicy = (input as Fields)["type"] === "root_policy";
  const target = isPolicy ? (policyOf(policy) as RootPolicy) : gateOf(input);
  const { digest, tree } = treePayload(target);
  if (digest !== describeDigest(target)) throw new Error("the payload has another digest");
  return { canonical: describeJson(target), digest, tree };
});

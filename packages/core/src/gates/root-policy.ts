import { canonicalJson } from "../canonical/canonical-json.js";
import { PolicyId, PolicyVersion } from "../contract/id.js";
import type { PolicyContext } from "../contract/policy-context.js";
import { type Policy, PolicyDecision } from "../contract/policy-decision.js";
import { ask, checkDescription, type Described, type Gate, type GateDescription } from "./gate.js";

export interface RootPolicyFields {
  readonly policyId: string;
  readonly policyVersion: string;
  readonly root: Gate;
}

/**
 * A tree of gates under a policy's name: a policy of the contract. Its decision has the outcome and the code of the
 * root gate; its message is the canonical JSON of the gate's detail. The details of `match`, `oneOf` and `bound` hold
 * the actual input, and so become part of the decision's event.
 */
export class RootPolicy implements Policy, Described {
  readonly policyId: PolicyId;
  readonly policyVersion: PolicyVersion;
  readonly root: Gate;
  readonly #description: GateDescription;

  /** @throws {InvalidIdError} for an id that is none; {InvalidGateError} for a root that describes itself as no data */
  constructor({ policyId, policyVersion, root }: RootPolicyFields) {
    this.policyId = PolicyId(policyId);
    this.policyVersion = PolicyVersion(policyVersion);
    this.root = root;
    this.#description = checkDescription({
      describe_version: 1,
      type: "root_policy",
      policy_id: policyId,
      policy_version: policyVersion,
      root: root.describe(),
    });
    Object.freeze(this);
  }

  evaluate(context: PolicyContext): PolicyDecision {
    const { outcome, reasonCode, detail, message } = ask(this.root, context);
    const isEmpty = detail === null || Object.keys(detail).length === 0;
    return new PolicyDecision({
      outcome,
      reasonCode,
      reasonMessage: message !== undefined ? message : isEmpty ? null : canonicalJson(detail),
      policyId: this.policyId,
      policyVersion: this.policyVersion,
      tenantId: context.tenantId,
      authoritativeDigest: context.authoritativeDigest,
    });
  }

  describe(): GateDescription {
    return this.#description;
  }
}

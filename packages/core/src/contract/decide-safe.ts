import { InvalidInputError, UnknownContextKeyError } from "./contract-error.js";
import { isId } from "./id.js";
import { PolicyContext } from "./policy-context.js";
import { type Policy, PolicyDecision, type PolicyVerdict } from "./policy-decision.js";
import { reasonCodes } from "./reason-codes.js";

interface Identity {
  readonly policyId: string;
  readonly policyVersion: string;
}

/** Stands in a decision for a policy that has no valid name or version to show. */
export const INVALID_POLICY: Identity = Object.freeze({ policyId: "d2.invalid_policy", policyVersion: "0" });

/** Stands in a decision for a tenant that is no valid id. */
export const INVALID_TENANT = "d2.invalid_tenant";

/**
 * Lets a policy decide, and answers with a decision whatever happens. Never throws.
 *
 * The policy's identity is read and the digest of the inputs computed before the policy is asked; of its answer only
 * `outcome`, `reasonCode` and `reasonMessage` count. Otherwise the answer is DENY, with an empty digest:
 *
 * | what | reason code |
 * |---|---|
 * | a tenant that is no id; inputs that are no mapping or no canonical data | `invalid_input` |
 * | a top-level key that is no context key | `unknown_context_key` |
 * | a policy without a valid id or version, that throws, or answers with a promise or anything else that is no verdict | `evaluation_error` |
 *
 * @param tenantId who the decision is made for
 * @param inputs see `PolicyContext`
 */
export function decideSafe(policy: Policy, tenantId: string, inputs: unknown): PolicyDecision {
  const identity = readIdentity(policy);
  const refuse = (reasonCode: string, reasonMessage: string): PolicyDecision =>
    new PolicyDecision({
      outcome: "DENY",
      reasonCode,
      reasonMessage,
      ...(identity ?? INVALID_POLICY),
      tenantId: isId(tenantId) ? tenantId : INVALID_TENANT,
    });
  if (!isId(tenantId)) return refuse(reasonCodes.invalidInput, "tenant id is not valid");
  let context: PolicyContext;
  try {
    context = new PolicyContext(tenantId, inputs);
  } catch (error) {
    if (error instanceof UnknownContextKeyError) {
      return refuse(reasonCodes.unknownContextKey, `context key not whitelisted: ${error.key}`);
    }
    const noMapping = error instanceof InvalidInputError && error.lack === "mapping";
    return refuse(reasonCodes.invalidInput, noMapping ? NO_MAPPING : NOT_CANONICAL);
  }
  if (identity === undefined) return refuse(reasonCodes.evaluationError, "policy identity is not valid");
  try {
    const { outcome, reasonCode, reasonMessage } = readVerdict(policy.evaluate(context));
    return new PolicyDecision({
      outcome,
      reasonCode,
      reasonMessage,
      ...identity,
      tenantId,
      authoritativeDigest: context.authoritativeDigest,
    });
  } catch {
    // INVARIANT: what a policy throws never allows, and its text may hold anything, so it goes nowhere.
    return refuse(reasonCodes.evaluationError, "policy evaluation failed");
  }
}

// The first of these texts is one that every implementation of the contract writes.
const NO_MAPPING = "inputs must be a mapping";
const NOT_CANONICAL = "inputs are not canonical data";

/** Both names, read once; `undefined` when one of them is no id or cannot be read. */
function readIdentity(policy: Policy): Identity | undefined {
  try {
    const { policyId, policyVersion } = policy;
    return isId(policyId) && isId(policyVersion) ? { policyId, policyVersion } : undefined;
  } catch {
    return undefined; // a getter of the policy has thrown
  }
}

/** Each field of the answer, read once. Whether they are right is for `PolicyDecision` to say. */
function readVerdict(answer: PolicyVerdict & { readonly then?: unknown }): PolicyVerdict {
  if (typeof answer.then === "function") {
    settleQuietly(answer);
    throw new TypeError("a promise is not a decision");
  }
  const { outcome, reasonCode, reasonMessage } = answer;
  return { outcome, reasonCode, reasonMessage };
}

/** A promise that is refused must not end the process later by being rejected with nobody listening. */
function settleQuietly(answer: unknown): void {
  if (answer instanceof Promise) {
    Promise.prototype.then.call(
      answer,
      () => undefined,
      () => undefined,
    );
  }
}

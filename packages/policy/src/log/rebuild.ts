import type { PolicyIdentity } from "d2-core";
import { canonicalJson, type Decision, decisionMessage, type HexDigest, sha256Hex } from "d2-core";

/** Makes the DECISION events that decisions must have been recorded as. */
export class Rebuilder {
  /** What is said of a decision. Most are one object for many calls. */
  readonly #gates = new WeakMap<Decision, string>();
  readonly #identities = new WeakMap<PolicyIdentity, { readonly tenant: string; readonly text: string }>();

  /** The digest of the whole event. */
  digest(correlationId: string, decision: Decision, identity: PolicyIdentity, tenant: string): HexDigest {
    const text =
      `{"correlation_id":${canonicalJson(correlationId)},"data":{"gate":${this.#gate(decision)},` +
      `${this.#identity(identity, tenant)}},"event_kind":"DECISION"}`;
    // SHA-256 in lower-case hex is what the type stands for.
    return sha256Hex(text) as HexDigest;
  }

  #gate(decision: Decision): string {
    const known = this.#gates.get(decision);
    if (known !== undefined) return known;
    const message = decisionMessage(decision);
    const text = canonicalJson({
      decision: decision.outcome === "allow" ? "ALLOW" : "DENY",
      reason_code: decision.reason,
      ...(message === undefined ? {} : { reason_message: message }),
    });
    this.#gates.set(decision, text);
    return text;
  }

  #identity(identity: PolicyIdentity, tenant: string): string {
    const known = this.#identities.get(identity);
    if (known?.tenant === tenant) return known.text;
    const { policyId, policyVersion } = identity;
    const text = canonicalJson({
      policy_id: policyId,
      policy_version: policyVersion,
      tenant_id: tenant,
    }).slice(1, -1);
    this.#identities.set(identity, { tenant, text });
    return text;
  }
}

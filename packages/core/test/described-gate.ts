import type { ComposeConfig } from "../src/compose/compose-config.js";
import { composePolicy, POLICY } from "../src/compose.js";
import { ALLOW_ALL, DENY_ALL } from "../src/contract/built-in-policies.js";
import type { Policy, PolicyVerdict } from "../src/contract/policy-decision.js";
import {
  allow,
  anyOf,
  bound,
  chain,
  deny,
  type Gate,
  type GateOptions,
  invert,
  match,
  oneOf,
  RootPolicy,
  require,
  tenant,
} from "../src/gates.js";
import { build } from "./encoded-input.js";

type Fields = Readonly<Record<string, unknown>>;

// The casts in here state the shapes that the vectors' README gives.

/** Builds a gate of its description. */
export function gateOf(encoded: unknown): Gate {
  const { type, label, key, value, allowed, lo, hi, gates, inner } = build(encoded) as Fields;
  const options: GateOptions = label === undefined ? {} : { label: label as string };
  const name = key as string;
  switch (type) {
    case "require":
      return require(name, options);
    case "match":
      return match(name, value as string, options);
    case "one_of":
      return oneOf(name, allowed as string[], options);
    case "bound":
      return bound(name, lo as number, hi as number, options);
    case "tenant":
      return tenant(allowed as string[], options);
    case "allow":
      return allow(options);
    case "deny":
      return deny(options);
    case "chain":
      return chain((gates as unknown[]).map(gateOf), options);
    case "any_of":
      return anyOf((gates as unknown[]).map(gateOf), options);
    case "invert":
      return invert(gateOf(inner), options);
  }
  throw new Error(`unknown gate \`${String(type)}\``);
}

/** Builds a policy of what a vector says of it. */
export function policyOf(encoded: unknown): Policy {
  const { kind, message, decision, policy_id, policy_version, root, config } = encoded as Fields;
  const named = (evaluate: () => PolicyVerdict): Policy => ({ policyId: "p", policyVersion: "1", evaluate });
  switch (kind) {
    case "allow_all":
      return ALLOW_ALL;
    case "deny_all":
      return DENY_ALL;
    case "compose":
      return config === undefined ? POLICY : composePolicy(build(config) as ComposeConfig);
    case "raises":
      return named(() => {
        throw new Error(message as string);
      });
    case "returns": {
      const fields = decision as Fields | null;
      const answered: unknown = fields && {
        outcome: fields["outcome"],
        reasonCode: fields["reason_code"],
        reasonMessage: fields["reason_message"],
        authoritativeDigest: fields["authoritative_digest"],
      };
      return named(() => answered as PolicyVerdict);
    }
    case "mutates_inputs":
      return {
        policyId: "p",
        policyVersion: "1",
        evaluate: ({ inputs }) => {
          Object.assign(inputs, { capability: "changed" });
          return { outcome: "ALLOW", reasonCode: "ok" };
        },
      };
    case "root_policy":
      return new RootPolicy({
        policyId: policy_id as string,
        policyVersion: policy_version as string,
        root: gateOf(root),
      });
  }
  throw new Error(`unknown policy \`${String(kind)}\``);
}

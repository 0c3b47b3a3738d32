import { reasonCodes } from "../contract/reason-codes.js";
import { freezeDeep } from "../document/freeze-deep.js";
import { allow, answer, anyOf, chain, deny, invert } from "../gates/combinators.js";
import type { Gate } from "../gates/gate.js";
import { bound, match, oneOf, requireKey } from "../gates/input-gates.js";
import { contains } from "../gates/path-gates.js";
import { RootPolicy } from "../gates/root-policy.js";
import { count, text, texts } from "./admission-gates.js";
import { type CheckedConfig, type ComposeConfig, checkConfig } from "./compose-config.js";

/** The configuration of `POLICY`. Frozen: give `composePolicy` another one for other rules. */
export const POLICY_CONFIG: ComposeConfig = freezeDeep({
  capabilities: { default: ["chat"], per_workspace: {} },
  models: {
    per_capability: { chat: ["gpt-4o-mini", "claude-3-haiku-20240307"] },
    providers_per_capability: { chat: ["openai", "anthropic"] },
  },
  caps: { max_output_tokens: 8192, max_input_bytes: 200_000, max_input_chars: 200_000 },
  risk: { override_tag: "override_ack", privileged_principals: [] },
});

/** The starter pack with its default configuration. */
export const POLICY: RootPolicy = composePolicy(POLICY_CONFIG);

/**
 * The starter pack: admission, capability, model, cost and risk, asked in this order. The first that objects decides;
 * otherwise the answer is ALLOW, `ok`. `input_bytes` and `input_chars` are what the caller says they are.
 *
 * The configuration is read once and is part of the policy's description, so two policies with different rules have
 * different digests. Changing it afterwards changes nothing.
 *
 * @throws {InvalidComposeConfigError} for an unknown key, and for a value of the wrong kind
 */
export function composePolicy(config: ComposeConfig): RootPolicy {
  const checked = checkConfig(config);
  const gates = [admission(), capability(checked), model(checked), cost(checked), risk(checked)];
  return new RootPolicy({
    policyId: "dbl_policy.compose",
    policyVersion: "0.2.2",
    root: answer(chain(gates), { allow: reasonCodes.ok }),
  });
}

function admission(): Gate {
  const required = ["principal_id", "intent_type", "capability", "model_id"].map((key) =>
    answer(text(key), { deny: reasonCodes.admissionMissingRequired, message: `missing ${key}` }),
  );
  const valid = (key: string, gate: Gate): Gate =>
    answer(whenPresent(key, gate), { deny: reasonCodes.admissionInvalidValue, message: `invalid ${key}` });
  return chain(
    [
      ...required,
      ...["workspace_id", "provider", "risk_tier"].map((key) => valid(key, text(key))),
      ...["max_output_tokens", "input_bytes", "input_chars"].map((key) => valid(key, count(key))),
      valid("request_tags", texts("request_tags")),
    ],
    { label: "admission" },
  );
}

function capability({ capabilities, workspaces }: CheckedConfig): Gate {
  const own = [...workspaces].map(([workspace, list]) =>
    chain([match("workspace_id", workspace), listed("capability", list)]),
  );
  const others = listed("capability", capabilities);
  const elsewhere = own.length === 0 ? [] : [invert(oneOf("workspace_id", [...workspaces.keys()]))];
  return answer(
    anyOf([...own, chain([...elsewhere, others])]),
    { deny: reasonCodes.capabilityDenied, message: "capability {capability} denied" },
    { label: "capability" },
  );
}

function model({ models, providers }: CheckedConfig): Gate {
  const byCapability = (lists: ReadonlyMap<string, readonly string[]>, key: string): Gate[] =>
    [...lists].map(([name, list]) => chain([match("capability", name), listed(key, list)]));
  const free = providers.size === 0 ? [] : [invert(oneOf("capability", [...providers.keys()]))];
  const provider =
    providers.size === 0
      ? []
      : [
          answer(whenPresent("provider", anyOf([...byCapability(providers, "provider"), ...free])), {
            deny: reasonCodes.modelDenied,
            message: "provider {provider} denied",
          }),
        ];
  return chain(
    [
      answer(anyOf([...byCapability(models, "model_id"), deny()]), {
        deny: reasonCodes.modelDenied,
        message: "model {model_id} denied",
      }),
      ...provider,
    ],
    { label: "model" },
  );
}

function cost({ caps }: CheckedConfig): Gate {
  const capped = (key: string, cap: string, code: string, message: string): Gate[] => {
    const highest = caps.get(cap);
    if (highest === undefined) return [];
    return [answer(whenPresent(key, bound(key, 0, highest)), { deny: code, message })];
  };
  return chain(
    [
      allow(),
      ...capped(
        "max_output_tokens",
        "max_output_tokens",
        reasonCodes.costOutputTokensCap,
        "output tokens cap exceeded",
      ),
      ...capped("input_bytes", "max_input_bytes", reasonCodes.costInputBytesCap, "input bytes cap exceeded"),
      ...capped("input_chars", "max_input_chars", reasonCodes.costInputCharsCap, "input chars cap exceeded"),
    ],
    { label: "cost" },
  );
}

function risk({ overrideTag, privileged }: CheckedConfig): Gate {
  return answer(
    anyOf([
      invert(match("risk_tier", "high")),
      listed("principal_id", privileged),
      overrideTag === undefined ? deny() : contains("request_tags", overrideTag),
    ]),
    { deny: reasonCodes.riskHighRequiresOverride, message: "high risk requires override" },
    { label: "risk" },
  );
}

/** Asks the gate only where the input is there. */
function whenPresent(key: string, gate: Gate): Gate {
  return anyOf([invert(requireKey(key)), gate]);
}

/** `oneOf`, which has no empty list. */
function listed(key: string, list: readonly string[]): Gate {
  return list.length === 0 ? deny() : oneOf(key, list);
}

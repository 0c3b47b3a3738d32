import {
  type CanonicalValue,
  canonicalJson,
  digest,
  type HexDigest,
  type PrefixedDigest,
  prefixDigest,
} from "../canonical/canonical-json.js";
import { compareCodePoints } from "../canonical/code-point-order.js";
import { isList, isMapping, type PlainMapping } from "../values/kind.js";
import { DblEvent, type EventKind } from "./dbl-event.js";
import { frozenCopy } from "./frozen-copy.js";

// The gateway's own digests. They are written with `sha256:` before them, but for the steps of the chain.

/** What stands before the first step of a chain. */
export const CHAIN_SEED = `sha256:${"0".repeat(64)}`;

/** The next step of a gateway's rolling digest: SHA-256 of the canonical `{digest, index, prev}`, without a prefix. */
export function chainStep(previous: string, index: number, eventDigest: string): HexDigest {
  return digest({ digest: eventDigest, index, prev: previous });
}

/** Digest of an event as a gateway stores it: that of the event without the top-level `_obs` of its payload. */
export function gatewayEventDigest(
  eventKind: EventKind,
  correlationId: string,
  payload: unknown,
): { readonly digest: PrefixedDigest; readonly length: number } {
  const data = isMapping(payload) ? without(payload, "_obs") : payload;
  const event = new DblEvent({ eventKind, correlationId, data });
  return { digest: prefixDigest(event.digest), length: event.canonical.length };
}

/** Digest of what a gateway hands to a provider. */
export function gatewayReleaseDigest(release: unknown): PrefixedDigest {
  return prefixDigest(digest(release));
}

/** Keys of a stored decision that are texts, lists, flags or numbers, null where there is none. */
const OPTIONAL_KEYS = [
  "actor_id",
  "allowed_tool_families",
  "assembly_digest",
  "budget_class",
  "budget_policy_reason",
  "claims_digest",
  "context_digest",
  "cost_class",
  "declared_tool_families",
  "denied_tool_families",
  "economic_policy_reason",
  "enforced_budget",
  "identity_issuer",
  "identity_source",
  "identity_verified",
  "permitted_tool_families",
  "permitted_tools",
  "request_class",
  "request_constraints_applied",
  "request_semantic_reason",
  "reservation_required",
  "slot_class",
  "tenant_id",
  "trust_class",
] as const;

const DIGEST_KEYS: ReadonlySet<string> = new Set(["assembly_digest", "claims_digest", "context_digest"]);

/**
 * The block of a gateway's decision that is hashed: texts trimmed, digests with their prefix, reasons, transforms and
 * lists of names sorted, and null for what is absent.
 *
 * @param decision `{decision, reason_codes, policy_id, policy_version, ...}`
 * @param context digests of the context and the index of the INTENT, where there are any
 */
export function normativeDecision(decision: PlainMapping, context: PlainMapping = {}): CanonicalValue {
  const given: PlainMapping = { ...decision, ...context };
  const block: { [key: string]: unknown } = {
    policy: {
      policy_id: normalised("policy_id", given["policy_id"]),
      policy_version: normalised("policy_version", given["policy_version"]),
      policy_config_digest: normalised("policy_config_digest", given["policy_config_digest"]),
    },
    result: normalised("result", given["decision"]),
    reasons: sorted(
      isList(given["reason_codes"])
        ? given["reason_codes"].map((code) => ({ code: normalised("code", code) }))
        : [],
    ),
    transforms: sorted(isList(given["transforms"]) ? given["transforms"] : []),
  };
  for (const key of OPTIONAL_KEYS) block[key] = normalised(key, given[key]);
  const index = given["intent_index"];
  if (index !== undefined && index !== null) block["intent_index"] = index;
  return frozenCopy(block);
}

/** Digest of a gateway's decision. Neither the kind of the event nor its correlation id is in it. */
export function gatewayDecisionDigest(decision: PlainMapping, context?: PlainMapping): PrefixedDigest {
  return prefixDigest(digest(normativeDecision(decision, context)));
}

function normalised(key: string, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (isList(value)) return sorted(value);
  if (typeof value !== "string") return value;
  const text = value.trim();
  const isDigest = DIGEST_KEYS.has(key) || key === "policy_config_digest";
  return isDigest && !text.startsWith("sha256:") ? `sha256:${text}` : text;
}

function sorted(list: readonly unknown[]): unknown[] {
  return list.toSorted((one, other) => compareCodePoints(canonicalJson(one), canonicalJson(other)));
}

function without(mapping: PlainMapping, leftOut: string): PlainMapping {
  const rest: { [key: string]: unknown } = Object.create(null);
  for (const [key, value] of Object.entries(mapping)) if (key !== leftOut) rest[key] = value;
  return rest;
}

import { type CanonicalValue, digest, type HexDigest } from "../canonical/canonical-json.js";
import { isMapping } from "../values/kind.js";
import { InvalidInputError, UnknownContextKeyError } from "./contract-error.js";
import { type FrozenMapping, frozenCopy } from "./frozen-copy.js";
import { TenantId } from "./id.js";

/** The keys that the inputs of a decision may have at the top. `extensions` may hold anything that is canonical data. */
export const CONTEXT_KEYS = Object.freeze([
  "principal_id",
  "workspace_id",
  "intent_type",
  "capability",
  "model_id",
  "provider",
  "max_output_tokens",
  "input_bytes",
  "input_chars",
  "risk_tier",
  "request_tags",
  "extensions",
] as const);

export type ContextKey = (typeof CONTEXT_KEYS)[number];

/** The inputs of a decision as a policy sees them: frozen to the last level, mappings without prototype. */
export type ContextInputs = { readonly [Key in ContextKey]?: CanonicalValue };

/** What a policy decides on. A frozen copy: neither the caller nor a policy can change it. */
export class PolicyContext {
  readonly tenantId: TenantId;
  readonly inputs: ContextInputs;
  /** SHA-256 of the canonical JSON of `inputs` alone. The tenant is not in it. */
  readonly authoritativeDigest: HexDigest;

  /**
   * @param inputs a mapping of context keys to canonical data: no number but safe integers, no `undefined`
   * @throws {InvalidInputError} when they are no mapping or no canonical data
   * @throws {UnknownContextKeyError} for a top-level key that is none of the context keys
   * @throws {InvalidIdError} for a tenant that is no id
   */
  constructor(tenantId: string, inputs: unknown) {
    const snapshot = snapshotInputs(inputs);
    this.tenantId = TenantId(tenantId);
    this.inputs = snapshot;
    this.authoritativeDigest = digest(snapshot);
    Object.freeze(this);
  }
}

function snapshotInputs(inputs: unknown): ContextInputs {
  const copy = copyInputs(inputs);
  // The first in the order of the caller; the copy has the last word, for it is what will be used.
  const written = Object.keys(Object(inputs)).filter((key) => Object.hasOwn(copy, key));
  const unknown = [...written, ...Object.keys(copy)].find((key) => !isContextKey(key));
  if (unknown !== undefined) throw new UnknownContextKeyError(unknown);
  return copy;
}

function copyInputs(inputs: unknown): FrozenMapping {
  if (typeof inputs !== "object" || inputs === null) throw new InvalidInputError("mapping");
  let copy: CanonicalValue;
  try {
    copy = frozenCopy(inputs);
  } catch (error) {
    throw new InvalidInputError("canonical", { cause: error });
  }
  if (!isMapping(copy)) throw new InvalidInputError("mapping");
  return copy;
}

function isContextKey(key: string): key is ContextKey {
  return CONTEXT_KEYS.some((known) => known === key);
}

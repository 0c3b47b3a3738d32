import type { CanonicalValue } from "../canonical/canonical-json.js";
import { compareCodePoints } from "../canonical/code-point-order.js";
import type { ContextInputs, PolicyContext } from "../contract/policy-context.js";
import { isText } from "../contract/policy-decision.js";
import { ALLOW_GATE, denied, type Gate, type GateOptions, InvalidGateError, makeGate } from "./gate.js";

/** Allows when the key is among the inputs; null counts as present. */
export function requireKey(key: string, options: GateOptions = {}): Gate {
  checkKey(key);
  return makeGate("require", { key }, options, ({ inputs }, label) =>
    hasInput(inputs, key) ? ALLOW_GATE : denied(`gate.require.missing:${key}`, { key }, label),
  );
}

/** Allows when the input is this very text, integer or boolean. `1` and `true` differ; a bigint equals the same number. */
export function match(
  key: string,
  value: string | number | bigint | boolean,
  options: GateOptions = {},
): Gate {
  checkKey(key);
  if (!["string", "number", "bigint", "boolean"].includes(typeof value)) {
    throw new InvalidGateError("`value` of `match` must be a string, an integer or a boolean");
  }
  return makeGate("match", { key, value }, options, ({ inputs }, label) => {
    if (!hasInput(inputs, key)) return denied(`gate.match.missing:${key}`, { key }, label);
    const actual = inputOf(inputs, key);
    if (equals(actual, value)) return ALLOW_GATE;
    return denied(`gate.match.mismatch:${key}`, { actual, expected: value, key }, label);
  });
}

/** Allows when the input is one of these texts. Their order does not matter, nor does naming one twice. */
export function oneOf(key: string, allowed: readonly string[], options: GateOptions = {}): Gate {
  checkKey(key);
  const sorted = sortedTexts("oneOf", allowed);
  const known: ReadonlySet<CanonicalValue> = new Set(sorted);
  return makeGate("one_of", { key, allowed: sorted }, options, ({ inputs }, label) => {
    if (!hasInput(inputs, key)) return denied(`gate.one_of.missing:${key}`, { key }, label);
    const actual = inputOf(inputs, key);
    if (known.has(actual)) return ALLOW_GATE;
    return denied(`gate.one_of.mismatch:${key}`, { actual, allowed: sorted, key }, label);
  });
}

/** Allows when the input is an integer from `lo` to `hi`, both included. A boolean is no integer. */
export function bound(
  key: string,
  lo: number | bigint,
  hi: number | bigint,
  options: GateOptions = {},
): Gate {
  checkKey(key);
  if (!isInteger(lo) || !isInteger(hi))
    throw new InvalidGateError("`lo` and `hi` of `bound` must be integers");
  if (lo > hi) throw new InvalidGateError("`lo` of `bound` must not be above `hi`");
  return makeGate("bound", { key, lo, hi }, options, ({ inputs }, label) => {
    if (!hasInput(inputs, key)) return denied(`gate.bound.missing:${key}`, { key }, label);
    const actual = inputOf(inputs, key);
    if (!isInteger(actual)) {
      return denied(`gate.bound.not_int:${key}`, { actual_type: typeWord(actual), key }, label);
    }
    if (actual < lo) return denied(`gate.bound.below:${key}`, { actual, key, lo }, label);
    if (actual > hi) return denied(`gate.bound.above:${key}`, { actual, hi, key }, label);
    return ALLOW_GATE;
  });
}

/** Allows when the decision is made for one of these tenants. */
export function tenant(allowed: readonly string[], options: GateOptions = {}): Gate {
  const sorted = sortedTexts("tenant", allowed);
  const known: ReadonlySet<string> = new Set(sorted);
  return makeGate("tenant", { allowed: sorted }, options, ({ tenantId }: PolicyContext, label) =>
    known.has(tenantId) ? ALLOW_GATE : denied("gate.tenant.denied", { tenant_id: tenantId }, label),
  );
}

/**
 * A list of texts in its one order: by code points, each once.
 *
 * @throws {InvalidGateError} for what is no non-empty list of well-formed texts
 */
export function sortedTexts(gate: string, texts: readonly string[]): readonly string[] {
  if (!Array.isArray(texts) || texts.length === 0 || !texts.every(isText)) {
    throw new InvalidGateError(`\`${gate}\` must be given a list of strings that is not empty`);
  }
  return Object.freeze([...new Set(texts)].sort(compareCodePoints));
}

export function checkKey(key: string): void {
  if (!isText(key)) throw new InvalidGateError("`key` must be a well-formed string");
}

/** Whether an input is there, null included. */
export function hasInput(inputs: ContextInputs, key: string): boolean {
  return Object.hasOwn(inputs, key);
}

/** An input; null where it is absent. */
export function inputOf(inputs: { readonly [key: string]: CanonicalValue }, key: string): CanonicalValue {
  return inputs[key] ?? null;
}

export function isInteger(value: unknown): value is number | bigint {
  return typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value));
}

function equals(actual: CanonicalValue, expected: string | number | bigint | boolean): boolean {
  // Of numbers and bigints only the worth counts, which is what `==` compares between the two and nothing else.
  if (isInteger(actual) && isInteger(expected)) return BigInt(actual) === BigInt(expected);
  return actual === expected;
}

/** Names of kinds as the contract's details have them. */
function typeWord(value: CanonicalValue): string {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "string":
      return "str";
    case "number":
    case "bigint":
      return "int";
    case "object":
      if (value === null) return "NoneType";
      return Array.isArray(value) ? "list" : "dict";
  }
}

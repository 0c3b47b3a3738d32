import { canonicalJson } from "d2-core";

/** Parsed JSON as a mapping. */
export type JsonMapping = { readonly [key: string]: unknown };

/** A text that is the canonical JSON of a value. */
export interface CanonicalText {
  readonly value: unknown;
  /** Writes any part of the value as canonical JSON. */
  readonly write: (part: unknown) => string;
}

/** Levels of containers that canonical JSON may have. */
const MAX_DEPTH = 128;

/** A text beyond this is looked at for its depth before it is parsed: parsing millions of levels takes gigabytes. */
const LONG = 2 ** 16;

const PRINTABLE_ASCII = /^[ -~]*$/;

/**
 * Reads a text that must be canonical JSON with safe integers only.
 *
 * Where the engine's own writer gives the text back, keys are in order and numbers are integers, that is proof enough, and
 * several times quicker than writing canonically. What is in doubt (escapes, keys like numbers) is written and compared.
 */
export function readCanonical(text: string): CanonicalText | "bad_line" | "not_canonical" {
  if (text.length > LONG && isDeep(text)) return "not_canonical";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "bad_line";
  }
  if (PRINTABLE_ASCII.test(text) && !text.includes("\\u") && isOrdered(value, 0)) {
    if (JSON.stringify(value) === text) return { value, write: JSON.stringify };
  }
  try {
    return canonicalJson(value) === text ? { value, write: canonicalJson } : "not_canonical";
  } catch {
    return "not_canonical"; // a float, a surrogate alone, or too deep: it has no canonical text
  }
}

/** Whether keys stand in the order of their characters, numbers are safe integers, and depth is within bounds. */
function isOrdered(value: unknown, depth: number): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isOrdered(item, depth + 1)) return false;
    return true;
  }
  let before = "";
  for (const key in value) {
    if (key < before) return false;
    before = key;
    // Parsed JSON has no accessors, and nothing inherited that is enumerable.
    if (!isOrdered((value as JsonMapping)[key], depth + 1)) return false;
  }
  return true;
}

function isDeep(text: string): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) inText = !inText;
    else if (inText) {
      if (unit === 0x5c) at += 1;
    } else if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (unit === 0x5d || unit === 0x7d) depth -= 1;
  }
  return false;
}

/** Whether parsed JSON is a mapping. */
export function isJsonMapping(value: unknown): value is JsonMapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a mapping has all of these keys, and otherwise at most the optional ones. */
export function hasKeys(
  mapping: JsonMapping,
  keys: readonly string[],
  optional: readonly string[] = [],
): boolean {
  let found = 0;
  for (const key of keys) if (mapping[key] === undefined) return false;
  for (const key of optional) if (mapping[key] !== undefined) found += 1;
  return Object.keys(mapping).length === keys.length + found;
}

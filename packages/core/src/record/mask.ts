import { type CanonicalValue, digest } from "../canonical/canonical-json.js";
import { D2Error } from "../errors.js";

/** Part of a masked path that stands for every key. */
const ANY = "*";

/** Places whose values are always recorded as their digest. */
export type Mask = readonly (readonly string[])[];

/**
 * Reads masked paths: `arguments` or `output`, then keys with dots between them. Lists on the way are gone through, and `*`
 * is any key. `arguments.card.number`, `output.*.email`, or all of it: `output`.
 *
 * @throws {D2Error} `bad_mask` for a path that names no place
 */
export function readMask(paths: readonly string[]): Mask {
  return paths.map((path) => {
    const parts = typeof path === "string" ? path.split(".") : [];
    const [first] = parts;
    if ((first === "arguments" || first === "output") && !parts.includes("")) return parts;
    const shown = typeof path === "string" ? `\`${path}\`` : "that is no text";
    throw new D2Error(
      "bad_mask",
      `the masked path ${shown} names no place: write \`arguments.\` or \`output.\` and keys with dots between them`,
    );
  });
}

/** A value in the tagged encoding with masked places replaced by their digests. The value itself stays as it is. */
export function applyMask(mask: Mask, part: "arguments" | "output", encoded: CanonicalValue): CanonicalValue {
  if (mask.length === 0) return encoded;
  const below = mask.filter(([first]) => first === part).map((parts) => parts.slice(1));
  return below.length === 0 ? encoded : masked(encoded, below);
}

function masked(value: CanonicalValue, paths: Mask): CanonicalValue {
  if (paths.some((parts) => parts.length === 0)) return { $digest: digest(value) };
  if (paths.length === 0 || typeof value !== "object" || value === null) return value;
  if (isItems(value)) return value.map((item) => masked(item, paths));
  const keys = Object.keys(value);
  // A tag is one value, and not a mapping.
  if (keys.some((key) => key.startsWith("$") && !key.startsWith("$$"))) return value;
  const copy: { [key: string]: CanonicalValue } = Object.create(null);
  for (const [key, item] of Object.entries(value)) {
    const name = key.startsWith("$") ? key.slice(1) : key;
    const below = paths.filter(([first]) => first === name || first === ANY).map((parts) => parts.slice(1));
    copy[key] = masked(item, below);
  }
  return copy;
}

function isItems(value: CanonicalValue): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}

import { isList, isMapping } from "./kind.js";

/**
 * Whether a value is at least `bound` long: code points of a string, items of a list, entries of a mapping.
 * `undefined`: the value has no length.
 */
export function isAtLeast(value: unknown, bound: number): boolean | undefined {
  if (typeof value === "string") {
    if (value.length < bound) return false;
    // No code point takes more than two units, so half the units is the least there can be.
    return value.length >= 2 * bound || countCodePoints(value) >= bound;
  }
  const size = sizeOf(value);
  return size === undefined ? undefined : size >= bound;
}

/** Whether a value is at most `bound` long, counted as `isAtLeast` does. `undefined`: the value has no length. */
export function isAtMost(value: unknown, bound: number): boolean | undefined {
  if (typeof value === "string") {
    if (value.length <= bound) return true;
    return value.length <= 2 * bound && countCodePoints(value) <= bound;
  }
  const size = sizeOf(value);
  return size === undefined ? undefined : size <= bound;
}

/** Code points of a string; a surrogate without its partner counts as one. */
export function countCodePoints(text: string): number {
  let count = text.length;
  for (let index = 0; index + 1 < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(index + 1);
    if (next < 0xdc00 || next > 0xdfff) continue;
    count--;
    index++;
  }
  return count;
}

function sizeOf(value: unknown): number | undefined {
  if (isList(value)) return value.length;
  return isMapping(value) ? Object.keys(value).length : undefined;
}

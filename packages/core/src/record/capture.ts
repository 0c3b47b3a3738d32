import { isProxy } from "#platform";
import { hasGetter, isDense, isPlainList } from "../canonical/plain-list.js";
import { decodeTagged, encodeTagged } from "../canonical/tagged.js";

/** Levels that the quick copy goes down. A cycle ends there too. */
const QUICK_DEPTH = 24;

/** Thrown inside, for whatever is not quickly seen to be plain data. */
const DOUBT: unique symbol = Symbol("doubt");

/**
 * A copy of a value as it is now, to be encoded later, when the value itself may be another: `encodeTagged` gives the same
 * for the copy. Runs no code of the value's.
 */
export function capture(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const copy = quickCopy(value, 0);
  return copy === DOUBT ? decodeTagged(encodeTagged(value)) : copy;
}

function quickCopy(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth === QUICK_DEPTH || isProxy(value)) return DOUBT;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return copyEntries(value, depth);
  return Array.isArray(value) && isPlainList(value) ? copyItems(value, depth) : DOUBT;
}

// Asks for a getter several times faster than a descriptor would tell. The cast holds because every engine has the
// method (ECMA-262, annex B); the library types leave it out.
const lookUpGetter = (Object.prototype as unknown as { __lookupGetter__(key: string): unknown })
  .__lookupGetter__;

function copyEntries(value: object, depth: number): unknown {
  const keys = Object.keys(value);
  if (Object.getOwnPropertyNames(value).length !== keys.length) return DOUBT;
  if (Object.getOwnPropertySymbols(value).length !== 0) return DOUBT;
  for (const key of keys) {
    // What inherits a getter of that name, as `__proto__` does, is looked at closely too.
    if (lookUpGetter.call(value, key) !== undefined) return DOUBT;
  }
  const copy: { [key: string]: unknown } = { ...value };
  for (const key of keys) {
    const item = copy[key];
    // It may be the answer of a property with a setter alone.
    if (item === undefined) return DOUBT;
    if (typeof item !== "object" || item === null) continue;
    const kept = quickCopy(item, depth + 1);
    if (kept === DOUBT) return DOUBT;
    copy[key] = kept;
  }
  return copy;
}

function copyItems(list: readonly unknown[], depth: number): unknown {
  if (!isDense(list)) return DOUBT;
  const copy: unknown[] = [];
  for (let index = 0; index < list.length; index++) {
    if (hasGetter(list, index)) return DOUBT;
    const item = list[index];
    if (item === undefined) return DOUBT;
    const kept = quickCopy(item, depth + 1);
    if (kept === DOUBT) return DOUBT;
    copy.push(kept);
  }
  return copy;
}

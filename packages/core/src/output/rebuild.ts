import { REMOVED } from "./act.js";
import type { Shape } from "./site.js";

/**
 * A copy of a mapping with the values that follow `base` in `slots`, in the order of its keys. The mapping must have
 * been inspected: it is read once more.
 */
export function copyEntries(
  mapping: object,
  bare: boolean,
  shape: Shape,
  slots: readonly unknown[],
  base: number,
  removed: boolean,
): object {
  const { keys, acts } = shape;
  if (bare || shape.unassignable) {
    const copy: object = bare ? Object.create(null) : {};
    for (let index = 0; index < keys.length; index++) define(copy, keys[index] ?? "", slots[base + index]);
    return copy;
  }
  if (!removed) {
    // Copying all and assigning what changed is several times as fast as building anew.
    const copy: { [key: string]: unknown } = { ...mapping };
    for (let index = 0; index < keys.length; index++) {
      const entry = slots[base + index];
      if (acts[index] !== undefined || typeof entry === "object") copy[keys[index] ?? ""] = entry;
    }
    return copy;
  }
  const copy: { [key: string]: unknown } = {};
  for (let index = 0; index < keys.length; index++) {
    const entry = slots[base + index];
    if (entry !== REMOVED) copy[keys[index] ?? ""] = entry;
  }
  return copy;
}

/** A mapping of these entries. Names such as `__proto__` are keys like any other. */
export function mappingOf(entries: Iterable<readonly [key: string, value: unknown]>, bare = false): object {
  const mapping: object = bare ? Object.create(null) : {};
  for (const [key, value] of entries) define(mapping, key, value);
  return mapping;
}

function define(mapping: object, key: string, value: unknown): void {
  if (value === REMOVED) return;
  Object.defineProperty(mapping, key, { value, writable: true, enumerable: true, configurable: true });
}

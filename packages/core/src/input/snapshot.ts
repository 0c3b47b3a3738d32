import { isProxy } from "#platform";
import { isList, isMapping, MAX_DEPTH, type PlainMapping } from "../values/kind.js";

/** Answer for what cannot be copied: a proxy, a hole in a list, a cycle, too many levels, an accessor that throws. */
export const NOT_INSPECTABLE = Symbol("not inspectable");

/**
 * The copies made for one call. What is judged is a copy, and the copy is what the function receives, so nothing can
 * change in between: every property is read once (an accessor is called once, and its answer is what counts).
 */
export class Snapshot {
  /** Copy of each object looked into; a copy is its own copy. */
  readonly #copies = new Map<object, object>();

  /** Copies a list or mapping without what is inside its entries; anything else is its own copy. */
  ofEntries(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    if (isProxy(value)) return NOT_INSPECTABLE;
    const copy = isList(value) ? copyList(value) : (copyMapping(value) ?? value);
    if (copy === NOT_INSPECTABLE) return copy;
    this.#keep(value, copy);
    return copy;
  }

  /** Copies a list or mapping with all lists and mappings inside. What is not plain data inside stays as it is. */
  ofAll(value: unknown): unknown {
    return this.#deep(value, 1, new Map());
  }

  /** Takes over a copy that was made before. */
  adopt(original: object, copy: object): void {
    this.#keep(original, copy);
  }

  #deep(value: unknown, depth: number, finished: Map<object, boolean>): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (depth > MAX_DEPTH) return NOT_INSPECTABLE;
    const copy = this.ofEntries(value);
    if (typeof copy !== "object" || copy === null) return copy;
    const state = finished.get(copy);
    if (state !== undefined) return state ? copy : NOT_INSPECTABLE; // not finished yet: it is inside itself
    finished.set(copy, false);
    if (isMutableList(copy)) {
      for (let index = 0; index < copy.length; index++) {
        const item = this.#deep(copy[index], depth + 1, finished);
        if (item === NOT_INSPECTABLE) return item;
        copy[index] = item;
      }
    } else if (isMapping(copy)) {
      for (const key of Object.keys(copy)) {
        const entry = this.#deep(copy[key], depth + 1, finished);
        if (entry === NOT_INSPECTABLE) return entry;
        if (entry !== copy[key]) replaceEntry(copy, key, entry);
      }
    }
    finished.set(copy, true);
    return copy;
  }

  #keep(original: object, copy: object): void {
    this.#copies.set(original, copy);
    this.#copies.set(copy, copy);
  }
}

/**
 * Copies the own enumerable entries of a mapping, symbols and `__proto__` included, each read once.
 *
 * @returns `undefined` for what is no mapping, and `NOT_INSPECTABLE` where an accessor throws.
 */
export function copyMapping(value: unknown): PlainMapping | typeof NOT_INSPECTABLE | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  // The usual object is known by its prototype alone.
  if (prototype !== Object.prototype && !isMapping(value)) return undefined;
  try {
    return prototype === null ? { __proto__: null, ...value } : { ...value };
  } catch {
    return NOT_INSPECTABLE; // an accessor threw: there is no value to judge
  }
}

/** Replaces the value of a key that a copy of a mapping has. */
export function replaceEntry(copy: object, key: string, value: unknown): void {
  // Defining, not assigning: `__proto__` is a key like any other here.
  Object.defineProperty(copy, key, { value, writable: true, enumerable: true, configurable: true });
}

function copyList(list: readonly unknown[]): unknown[] | typeof NOT_INSPECTABLE {
  const copy: unknown[] = [];
  try {
    for (let index = 0; index < list.length; index++) {
      if (!Object.hasOwn(list, index)) return NOT_INSPECTABLE;
      copy.push(list[index]);
    }
  } catch {
    return NOT_INSPECTABLE; // an accessor threw: there is no value to judge
  }
  return copy;
}

function isMutableList(value: object): value is unknown[] {
  return Array.isArray(value);
}

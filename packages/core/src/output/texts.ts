import { isMapping } from "../values/kind.js";
import { DENIED, type LeafAct, REMOVED } from "./act.js";
import type { Visits } from "./memory.js";
import { mappingOf } from "./rebuild.js";
import { readSpecial } from "./special.js";

/**
 * Tries an act on every string and number inside an inspected object, keys apart, each by itself. Changed parts are
 * copied, what was removed is left out, and `DENIED` anywhere is the answer for all.
 */
export function actOnTexts(value: object, act: LeafAct, visits: Visits): unknown {
  return new Texts(act, visits).inside(value);
}

class Texts {
  readonly #act: LeafAct;
  readonly #visits: Visits;
  readonly #known = new Map<object, unknown>();

  constructor(act: LeafAct, visits: Visits) {
    this.#act = act;
    this.#visits = visits;
  }

  inside(value: unknown): unknown {
    if (typeof value !== "object") return value === undefined ? value : this.#act(value);
    if (value === null) return value;
    this.#visits.count();
    if (!this.#visits.remember) return this.#object(value);
    if (this.#known.has(value)) return this.#known.get(value);
    const result = this.#object(value);
    this.#known.set(value, result);
    return result;
  }

  #object(value: object): unknown {
    if (Array.isArray(value)) return this.#items(value, value);
    if (isMapping(value)) return this.#entries(value, Object.entries(value));
    const special = readSpecial(value);
    switch (special.kind) {
      case "text": {
        const text = special.read();
        const next = this.#act(text);
        return next === text ? value : next;
      }
      case "items":
        return this.#items(value, special.items);
      case "entries":
        return this.#entries(value, special.entries);
    }
  }

  #items(value: object, items: readonly unknown[]): unknown {
    const kept: unknown[] = [];
    let changed = false;
    for (const item of items) {
      const next = this.inside(item);
      if (next === DENIED) return next;
      if (!Object.is(next, item)) changed = true;
      if (next !== REMOVED) kept.push(next);
    }
    return changed ? kept : value;
  }

  #entries(value: object, entries: readonly (readonly [key: string, value: unknown])[]): unknown {
    const kept: (readonly [string, unknown])[] = [];
    let changed = false;
    for (const [key, item] of entries) {
      const next = this.inside(item);
      if (next === DENIED) return next;
      if (!Object.is(next, item)) changed = true;
      kept.push([key, next]);
    }
    return changed ? mappingOf(kept, Object.getPrototypeOf(value) === null) : value;
  }
}

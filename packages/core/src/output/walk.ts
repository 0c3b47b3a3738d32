import { isProxy } from "#platform";
import { hasGetter, isDense, isPlainList } from "../canonical/plain-list.js";
import { isMapping, MAX_DEPTH } from "../values/kind.js";
import { type Act, DENIED, REMOVED } from "./act.js";
import { actOnWhole } from "./act-on-whole.js";
import { Memory, Visits } from "./memory.js";
import { copyEntries, mappingOf } from "./rebuild.js";
import type { Site } from "./site.js";
import { readSpecial, type Special } from "./special.js";
import { Uninspectable } from "./uninspectable.js";

/** Thrown where an act with `deny` fires. Which rule decides is found out by running them one after the other. */
export class Denied extends Error {
  constructor() {
    super("a rule with the action deny fires");
    this.name = "Denied";
  }
}

const { getOwnPropertyDescriptor, getOwnPropertyNames, getOwnPropertySymbols, getPrototypeOf } = Object;

/**
 * One way through a returned value, that inspects everything and runs acts on the way, copying what they change.
 *
 * Many acts run in one pass, and yet the outcome is as if each had passed through the whole value in turn. An act looks
 * at one value and what is inside it, and changes no more. So two acts can tell in which order they came only where one
 * acts on a value inside the value of the other, or both on the same. The same value: `#onLeaf` runs its acts in order.
 * Inside one another: `#onContainer` first lets the acts before it do their work inside, then acts, then lets it and
 * those after it go on inside. What an act made is never entered by an act before it. `$` acts, and `deny` acts that
 * ask whether a field is absent, look at the whole value: the caller runs them by themselves.
 *
 * INVARIANT: no property is read before its descriptor was seen to be plain, and none of a proxy at all; so no code of
 * the value's own runs, and what was judged is what is released.
 */
export class Walk {
  /** Whether there was something that counts as other than it is: dates, maps, sets, bytes. */
  special: boolean;
  readonly #fired: boolean[];
  readonly #visits: Visits;
  readonly #memory: Memory;
  // The values of the mapping in hand, above those of the mappings that it is in.
  readonly #slots: unknown[] = [];
  #top = 0;

  /**
   * @param start `fired` gets a mark, by index, for each act that changes something; `special` is what walks before
   *   this one found; `remember` is asked for once a walk without it threw `TooManyVisits`
   */
  constructor(start: { readonly fired: boolean[]; readonly special: boolean; readonly remember: boolean }) {
    this.special = start.special;
    this.#fired = start.fired;
    this.#visits = new Visits(start.remember);
    this.#memory = new Memory(this.#visits);
  }

  /** The value after the acts of its site. `depth` is that of the value itself. */
  inside(value: unknown, site: Site, depth: number): unknown {
    if (typeof value === "object") return value === null ? value : this.#container(value, site, depth);
    if (typeof value === "function" || typeof value === "symbol") {
      throw new Uninspectable("a function or a symbol");
    }
    return value;
  }

  /** The value after these acts on it, and those of its site inside it. `REMOVED` where an act says so. */
  actOn(acts: readonly Act[], value: unknown, site: Site, depth: number): unknown {
    if (typeof value !== "object" || value === null) {
      if (typeof value === "function" || typeof value === "symbol") {
        throw new Uninspectable("a function or a symbol");
      }
      return value === undefined ? value : this.#onLeaf(acts, value, 0);
    }
    return this.#onContainer(acts, value, site, depth);
  }

  #onLeaf(acts: readonly Act[], value: unknown, first: number): unknown {
    let current = value;
    for (let index = first; index < acts.length; index++) {
      const act = acts[index];
      if (act === undefined) break;
      const next = act.onLeaf(current);
      if (next === current || Object.is(next, current)) continue;
      if (next === DENIED) throw new Denied();
      this.#fired[act.index] = true;
      if (next === REMOVED) return next;
      current = next;
    }
    return current;
  }

  #onContainer(acts: readonly Act[], value: object, site: Site, depth: number): unknown {
    let current = value;
    let from = site.from;
    for (let index = 0; index < acts.length; index++) {
      const act = acts[index];
      if (act === undefined) break;
      // The first of these passes inspects the value, even where it has no act to run.
      const before = site.narrowed(from, act.index);
      if (index === 0 || !before.idle) current = this.#container(current, before, depth);
      from = act.index;
      const next = actOnWhole(act, current, this.special, this.#visits);
      if (next === DENIED) throw new Denied();
      if (next !== current) this.#fired[act.index] = true;
      if (typeof next !== "object" || next === null) {
        return next === REMOVED ? next : this.#onLeaf(acts, next, index + 1);
      }
      current = next;
    }
    const after = site.narrowed(from, site.to);
    return after.idle ? current : this.#container(current, after, depth);
  }

  #container(value: object, site: Site, depth: number): object {
    if (depth > MAX_DEPTH) throw new Uninspectable("more than 128 levels, or a cycle");
    const known = this.#memory.visit(value, site, depth);
    if (known !== undefined) return known;
    if (isProxy(value)) throw new Uninspectable("a proxy");
    const result = this.#dispatch(value, site, depth);
    this.#memory.keep(value, site, depth, result);
    return result;
  }

  #dispatch(value: object, site: Site, depth: number): object {
    if (Array.isArray(value)) {
      if (!isPlainList(value)) throw new Uninspectable("something that is not plain data");
      return this.#list(value, site, depth);
    }
    const prototype: unknown = getPrototypeOf(value);
    if (prototype === Object.prototype || isMapping(value)) {
      return this.#mapping(value, prototype === null, site, depth);
    }
    this.special = true;
    return this.#special(value, readSpecial(value), site, depth);
  }

  #mapping(value: object, bare: boolean, site: Site, depth: number): object {
    if (getOwnPropertySymbols(value).length > 0) throw new Uninspectable("a symbol as a key");
    const keys = getOwnPropertyNames(value);
    const shape = site.shapeOf(keys);
    const { acts, inner } = shape;
    const slots = this.#slots;
    const base = this.#top;
    this.#top = base + keys.length;
    let changed = false;
    let removed = false;
    for (let index = 0; index < keys.length; index++) {
      const descriptor = getOwnPropertyDescriptor(value, keys[index] ?? "");
      if (descriptor === undefined || descriptor.get !== undefined || descriptor.set !== undefined) {
        throw new Uninspectable("an accessor");
      }
      if (descriptor.enumerable !== true) throw new Uninspectable("a hidden key");
      const entry: unknown = descriptor.value;
      let next = entry;
      const here = acts[index];
      if (here !== undefined) {
        next =
          typeof entry === "string" || typeof entry === "number"
            ? this.#onLeaf(here, entry, 0)
            : this.actOn(here, entry, inner[index] ?? site, depth + 1);
        if (next !== entry && !Object.is(next, entry)) {
          changed = true;
          if (next === REMOVED) removed = true;
        }
      } else if (typeof entry === "object") {
        if (entry !== null) {
          next = this.#container(entry, inner[index] ?? site, depth + 1);
          if (next !== entry) changed = true;
        }
      } else if (typeof entry === "function" || typeof entry === "symbol") {
        throw new Uninspectable("a function or a symbol");
      }
      slots[base + index] = next;
    }
    this.#top = base;
    if (!changed) return value;
    return copyEntries(value, bare, shape, slots, base, removed);
  }

  #list(list: readonly unknown[], site: Site, depth: number): object {
    if (!isDense(list)) throw new Uninspectable("a hole, or a list with keys of its own");
    let copy: unknown[] | undefined;
    for (let index = 0; index < list.length; index++) {
      if (hasGetter(list, index)) throw new Uninspectable("an accessor");
      const item: unknown = list[index];
      // Only here can there be an accessor with a setter alone, which reads as undefined and runs nothing.
      if (item === undefined && getOwnPropertyDescriptor(list, index)?.set !== undefined) {
        throw new Uninspectable("an accessor");
      }
      const next = this.inside(item, site, depth + 1);
      if (copy !== undefined) copy.push(next);
      else if (!Object.is(next, item)) {
        copy = list.slice(0, index);
        copy.push(next);
      }
    }
    return copy ?? list;
  }

  #special(value: object, special: Special, site: Site, depth: number): object {
    switch (special.kind) {
      case "text":
        return value;
      case "items": {
        const items = special.items.map((item) => this.inside(item, site, depth + 1));
        return items.some((item, index) => !Object.is(item, special.items[index])) ? items : value;
      }
      case "entries": {
        let changed = false;
        const entries = special.entries.map(([key, entry]) => {
          const acts = site.actsOn(key);
          const inner = site.inside(key);
          const next =
            acts === undefined
              ? this.inside(entry, inner, depth + 1)
              : this.actOn(acts, entry, inner, depth + 1);
          if (!Object.is(next, entry)) changed = true;
          return [key, next] as const;
        });
        return changed ? mappingOf(entries) : value;
      }
    }
  }
}

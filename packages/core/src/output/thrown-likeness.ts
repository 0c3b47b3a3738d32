import { isProxy } from "#platform";
import { hasGetter, isDense, isPlainList } from "../canonical/plain-list.js";
import { MAX_DEPTH } from "../values/kind.js";
import { isNativePrototype } from "../values/native-prototype.js";
import { mappingOf } from "./rebuild.js";
import { Uninspectable } from "./uninspectable.js";

/** Something thrown as data that can be judged. */
interface Parts {
  /** For patterns and fields: an error is a list of its texts and of a mapping of its own fields. */
  readonly judged: unknown;
  /** For the size: an error is a mapping of all of these. */
  readonly sized: unknown;
}

/** What every error may have: as keys, these say nothing about the data. */
const USUAL: ReadonlySet<string> = new Set(["name", "message", "cause", "errors"]);

/** Makes plain data of what was thrown. Throws `Uninspectable`. */
export class Likeness {
  readonly #inspect: (value: unknown, depth: number) => void;
  readonly #known = new Map<object, Parts>();

  /** @param inspect throws `Uninspectable` for a value that is no plain data */
  constructor(inspect: (value: unknown, depth: number) => void) {
    this.#inspect = inspect;
  }

  of(value: unknown, depth: number): Parts {
    if (typeof value !== "object" || value === null) return this.#asValue(value, depth);
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) throw new Uninspectable("more than 128 levels, or a cycle");
    if (isProxy(value)) throw new Uninspectable("a proxy");
    const parts = isError(value)
      ? this.#ofError(value, depth)
      : isItems(value)
        ? this.#ofItems(value, depth)
        : this.#asValue(value, depth);
    this.#known.set(value, parts);
    return parts;
  }

  #asValue(value: unknown, depth: number): Parts {
    this.#inspect(value, depth);
    return { judged: value, sized: value };
  }

  /** Items one by one, because those of `errors` are errors. */
  #ofItems(list: readonly unknown[], depth: number): Parts {
    const items: Parts[] = [];
    for (let index = 0; index < list.length; index++) {
      if (hasGetter(list, index)) throw new Uninspectable("an accessor");
      items.push(this.of(list[index], depth + 1));
    }
    return { judged: items.map(({ judged }) => judged), sized: items.map(({ sized }) => sized) };
  }

  #ofError(error: object, depth: number): Parts {
    const texts: unknown[] = [];
    const fields: [string, unknown][] = [];
    const all: [string, unknown][] = [];
    for (const key of ["name", "message"]) {
      if (Object.hasOwn(error, key)) continue;
      const text = inherited(error, key);
      texts.push(text);
      all.push([key, text]);
    }
    for (const key of Reflect.ownKeys(error)) {
      const field = ownField(error, key);
      if (field === undefined || typeof key === "symbol") continue;
      const { judged, sized } = this.of(field, depth + 1);
      if (USUAL.has(key)) texts.push(judged);
      else fields.push([key, judged]);
      all.push([key, sized]);
    }
    return { judged: [...texts, mappingOf(fields)], sized: mappingOf(all) };
  }
}

/** The value of an own field; `undefined` for what holds no data of the tool. */
function ownField(error: object, key: string | symbol): unknown {
  if (key === "stack") return undefined;
  const descriptor = Object.getOwnPropertyDescriptor(error, key);
  if (descriptor === undefined || descriptor.get !== undefined || descriptor.set !== undefined) {
    throw new Uninspectable("an accessor");
  }
  const value: unknown = descriptor.value;
  if (typeof key === "string") {
    // Node's own errors have a hidden method that writes name and message.
    return key === "toString" && descriptor.enumerable === false && typeof value === "function"
      ? undefined
      : value;
  }
  // Node marks its own errors by symbols, with `true`. Anything that can hold data is refused.
  if (typeof value === "boolean" || value === undefined) return undefined;
  throw new Uninspectable("a symbol as a key");
}

/** A text that an error has from its class, never through an accessor. */
function inherited(error: object, key: string): unknown {
  for (let holder = prototypeOf(error); holder !== null; holder = prototypeOf(holder)) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, key);
    if (descriptor === undefined) continue;
    if (descriptor.get !== undefined || descriptor.set !== undefined) throw new Uninspectable("an accessor");
    const text: unknown = descriptor.value;
    if (typeof text === "string") return text;
    throw new Uninspectable("something that is not plain data");
  }
  return "";
}

/** Whether a value is an error, of this realm or another. */
function isError(value: object): boolean {
  for (let holder = prototypeOf(value); holder !== null; holder = prototypeOf(holder)) {
    if (isNativePrototype(holder, "Error")) return true;
  }
  return false;
}

function prototypeOf(value: object): object | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof prototype !== "object" || prototype === null) return null;
  // A proxy could answer otherwise the next time.
  if (isProxy(prototype)) throw new Uninspectable("a proxy");
  return prototype;
}

/** Whether a value is a list; throws for one that has more than its items. */
function isItems(value: object): value is readonly unknown[] {
  if (!Array.isArray(value)) return false;
  if (!isPlainList(value) || !isDense(value))
    throw new Uninspectable("a hole, or a list with keys of its own");
  return true;
}

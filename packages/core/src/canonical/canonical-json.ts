import { isProxy } from "#platform";
import { sha256Hex } from "#platform/sha256";
import { D2Error } from "../errors.js";
import { isMapping, MAX_DEPTH } from "../values/kind.js";
import { isUnescaped, quoteAscii } from "./ascii-text.js";
import { compareCodePoints } from "./code-point-order.js";
import { hasGetter, isDense, isPlainList } from "./plain-list.js";

/** A SHA-256 digest as 64 lower-case hex digits, without a prefix. */
export type HexDigest = string & { readonly __digest: "hex" };

/** The same with `sha256:` before it. Never mixed with `HexDigest`: the two are hashed as different texts. */
export type PrefixedDigest = `sha256:${string}` & { readonly __digest: "prefixed" };

/** What has a canonical text. Numbers are safe integers, and not `-0`; bigints have at most 400 digits. */
export type CanonicalValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue };

/** The most digits that an integer may have. */
export const MAX_INTEGER_DIGITS = 400;

/** A value without a canonical text. The message says why; nothing of the value is in it. */
export class CanonicalError extends D2Error {
  /** Where in the value: keys and list indexes from the root. Keys may come from a user; keep them out of messages. */
  readonly path: readonly (string | number)[];
  constructor(reason: string, path: readonly (string | number)[]) {
    super("not_canonical", `\`value\` has no canonical JSON: ${reason}`);
    this.path = path;
  }
}

/**
 * The one JSON text of a value, the same in every implementation of the decision record: no white space, keys in
 * code point order, printable ASCII only (lower-case `\uXXXX` for the rest), integers in plain decimal.
 *
 * Takes null, booleans, safe integers, bigints of at most 400 digits, well-formed strings, true arrays, and objects
 * whose prototype is `Object.prototype` or null, to 128 levels. A bigint is written as the integer that it is. `toJSON`
 * is not called. An own key `__proto__` is a key like any other. Each property is read once, and no accessor runs.
 *
 * @throws {CanonicalError} for everything else: other numbers (`-0` too), `undefined`, functions, symbols, symbol or hidden
 *   keys, accessors, holes, arrays with further properties, class instances, Dates, Maps, Sets, boxed primitives,
 *   ill-formed strings, cycles, and proxies where they can be told (on Node).
 */
export function canonicalJson(value: unknown): string {
  try {
    return write(value, 0);
  } catch (error) {
    throw error instanceof Unwritable ? new CanonicalError(error.message, error.path.reverse()) : error;
  }
}

/**
 * SHA-256 of the canonical JSON of a value.
 *
 * @throws {CanonicalError} as `canonicalJson`.
 */
export function digest(value: unknown): HexDigest {
  // SHA-256 in lower-case hex is what the type stands for.
  return sha256Hex(canonicalJson(value)) as HexDigest;
}

/** Whether a value is the text of a bare digest. */
export function isHexDigest(value: unknown): value is HexDigest {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

/** Writes `sha256:` before a bare digest. */
export function prefixDigest(bare: HexDigest): PrefixedDigest {
  // The prefix before a bare digest is what the type stands for.
  return `sha256:${bare}` as PrefixedDigest;
}

/** Carries the reason up to `canonicalJson`; every container on the way adds its key, innermost first. */
class Unwritable extends Error {
  readonly path: (string | number)[] = [];
}

/** `depth`: how many containers stand around the value. */
function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "number":
      return writeNumber(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      return value === null ? "null" : writeContainer(value, depth);
    case "bigint":
      return writeBigint(value);
    case "undefined":
      throw new Unwritable("`undefined` is not data: leave the key out or pass null");
    case "function":
      throw new Unwritable("a function is not data");
    case "symbol":
      throw new Unwritable("a symbol is not data");
  }
}

function quote(text: string): string {
  const quoted = quoteAscii(text);
  if (quoted === undefined) {
    throw new Unwritable("a string holds a surrogate without its partner: pass well-formed text");
  }
  return quoted;
}

function writeNumber(number: number): string {
  if (!Number.isSafeInteger(number)) {
    throw new Unwritable("a number is no safe integer: pass an integer, a bigint, or its decimal text");
  }
  if (Object.is(number, -0)) throw new Unwritable("a number is negative zero: pass 0");
  return String(number);
}

const INTEGER_BOUND = 10n ** BigInt(MAX_INTEGER_DIGITS);

/** Whether a bigint has more digits than may be written. Makes no text of it, which is slow for a huge one. */
export function isLongInteger(integer: bigint): boolean {
  return integer >= INTEGER_BOUND || integer <= -INTEGER_BOUND;
}

function writeBigint(integer: bigint): string {
  if (isLongInteger(integer)) {
    throw new Unwritable(`a bigint has more than ${MAX_INTEGER_DIGITS} digits: pass a string`);
  }
  return String(integer);
}

function writeContainer(value: object, depth: number): string {
  // A cycle needs no test of its own: it ends here, and before any text is joined.
  if (depth >= MAX_DEPTH) throw new Unwritable(`it is nested deeper than ${MAX_DEPTH} levels, or in a cycle`);
  if (isProxy(value)) throw new Unwritable("a proxy may answer differently each time: pass a plain copy");
  if (Array.isArray(value)) return writeList(value, depth + 1);
  if (isMapping(value)) return writeMapping(value, depth + 1);
  throw new Unwritable("an object is not plain data: pass a plain object or an array");
}

function writeList(list: readonly unknown[], depth: number): string {
  if (!isPlainList(list)) throw new Unwritable("an array is of a subclass: pass a true array");
  if (!isDense(list)) throw new Unwritable("an array has holes or further properties: pass a dense array");
  let index = 0;
  try {
    let text = "[";
    for (; index < list.length; index++) {
      if (hasGetter(list, index)) throw new Unwritable("an item is an accessor: pass a plain copy");
      if (index !== 0) text += ",";
      text += write(list[index], depth);
    }
    return `${text}]`;
  } catch (error) {
    if (error instanceof Unwritable) error.path.push(index);
    throw error;
  }
}

function writeMapping(mapping: object, depth: number): string {
  if (Object.getOwnPropertySymbols(mapping).length !== 0)
    throw new Unwritable("a key is a symbol: use a string");
  const keys = Object.getOwnPropertyNames(mapping);
  const unescaped = keys.every(isUnescaped);
  sortKeys(keys, unescaped);
  let at = "";
  try {
    let text = "{";
    for (const key of keys) {
      at = key;
      if (!unescaped) text += text.length === 1 ? `${quote(key)}:` : `,${quote(key)}:`;
      else text += text.length === 1 ? `"${key}":` : `,"${key}":`;
      text += write(readProperty(mapping, key), depth);
    }
    return `${text}}`;
  } catch (error) {
    if (error instanceof Unwritable) error.path.push(at);
    throw error;
  }
}

/** Reads a property once, through its descriptor, so that no accessor runs. */
function readProperty(mapping: object, key: string): unknown {
  const property = Object.getOwnPropertyDescriptor(mapping, key);
  if (property === undefined || property.get !== undefined || property.set !== undefined) {
    throw new Unwritable("a property is an accessor: pass a plain copy");
  }
  if (!property.enumerable) throw new Unwritable("a property is hidden (not enumerable): pass a plain copy");
  return property.value;
}

/** Few keys, mostly in order already, are sorted fastest by insertion. */
const INSERTION_LIMIT = 40;

/** Sorts in place by code points. Without escapes every key is ASCII, and the order of units is the same. */
function sortKeys(keys: string[], ascii: boolean): void {
  if (!ascii) {
    keys.sort(compareCodePoints);
  } else if (keys.length > INSERTION_LIMIT) {
    keys.sort();
  } else {
    for (let end = 1; end < keys.length; end++) insert(keys, end);
  }
}

/** Moves the key at `end` to its place among the sorted keys before it. */
function insert(keys: string[], end: number): void {
  const key = keys[end];
  if (key === undefined) return;
  let place = end;
  for (; place > 0; place--) {
    const before = keys[place - 1];
    if (before === undefined || before <= key) break;
    keys[place] = before;
  }
  keys[place] = key;
}

import { isProxy } from "#platform";
import { D2Error } from "../errors.js";
import { isMapping } from "../values/kind.js";
import { isUnescaped } from "./ascii-text.js";
import { type CanonicalValue, isHexDigest, isLongInteger, MAX_INTEGER_DIGITS } from "./canonical-json.js";
import { isDense, isPlainList } from "./plain-list.js";
import { isUnwrittenKind, kindOfOther, type UnwrittenKind, UnwrittenValue } from "./unwritten.js";
import { WithheldValue } from "./withheld.js";

/**
 * Levels of containers that are written. Below the 128 of canonical JSON, so that what was encoded still has room for
 * a tag inside it and for the record around it.
 */
export const MAX_TAGGED_DEPTH = 112;

/** A recorded value that `encodeTagged` cannot have written. */
export class TaggedError extends D2Error {
  constructor(reason: string) {
    super("not_tagged", `\`encoded\` is not in the tagged encoding: ${reason}`);
  }
}

/**
 * Writes any value as canonical data, so that it can be recorded and hashed.
 *
 * | value | is written as |
 * |---|---|
 * | null, booleans, safe integers, well-formed strings, lists | themselves |
 * | mapping | itself; a key that starts with `$` gets another `$` before it |
 * | any other number | `{"$float": text}`: `"0.1"`, `"-0"`, `"1e+21"`, `"NaN"`, `"-Infinity"`; the shortest text that reads back as the same number |
 * | bigint | `{"$bigint": text}`, plain decimal, at most 400 digits |
 * | `undefined` | `{"$undefined": true}` |
 * | what cannot be written down | `{"$kind": kind}`, see `UnwrittenKind` |
 * | a `WithheldValue` | `{"$digest": hex}` |
 *
 * Lossless but for `$kind` and for what is no data: the order of keys, shared objects, whether a mapping has a prototype.
 * Values that differ otherwise have different canonical texts. Never throws, and runs no accessor and no `toJSON`.
 */
export function encodeTagged(value: unknown): CanonicalValue {
  return encode(value, []);
}

/**
 * Reads back what `encodeTagged` wrote, straight or after a way through JSON text. Mappings come back without a prototype,
 * `$kind` as an `UnwrittenValue` and `$digest` as a `WithheldValue`, which are encoded to the same tags again.
 *
 * @throws {TaggedError} for anything that `encodeTagged` does not write, such as an unknown tag or a bare float.
 */
export function decodeTagged(encoded: unknown): unknown {
  return decode(encoded, 0);
}

/** `around`: the containers that the value stands in, outermost first. */
function encode(value: unknown, around: object[]): CanonicalValue {
  switch (typeof value) {
    case "string":
      return isWellFormed(value) ? value : { $kind: "ill_formed_string" };
    case "number":
      return isPlainInteger(value) ? value : { $float: floatText(value) };
    case "boolean":
      return value;
    case "bigint":
      return isLongInteger(value) ? { $kind: "long_integer" } : { $bigint: String(value) };
    case "undefined":
      return { $undefined: true };
    case "function":
      return { $kind: "function" };
    case "symbol":
      return { $kind: "symbol" };
    case "object":
      return value === null ? null : encodeObject(value, around);
  }
}

function encodeObject(value: object, around: object[]): CanonicalValue {
  const depth = around.length;
  const withheld = WithheldValue.digestOf(value);
  if (withheld !== undefined) return { $digest: withheld };
  try {
    const kind = obstacle(value, around);
    if (kind !== undefined) return { $kind: kind };
    around.push(value);
    return Array.isArray(value) ? encodeList(value, around) : encodeMapping(value, around);
  } catch {
    return { $kind: "unreadable" }; // a prototype, or where proxies cannot be told the object itself, has thrown
  } finally {
    around.length = depth;
  }
}

/** Why an object cannot be written as a list or a mapping; `undefined` when it can. */
function obstacle(value: object, around: readonly object[]): UnwrittenKind | undefined {
  if (isProxy(value)) return "proxy";
  if (around.includes(value)) return "cycle";
  const list = Array.isArray(value) ? isPlainList(value) : false;
  if (!list && (Array.isArray(value) || !isMapping(value))) {
    return UnwrittenValue.kindOf(value) ?? kindOfOther(value);
  }
  if (around.length >= MAX_TAGGED_DEPTH) return "depth";
  if (Object.getOwnPropertySymbols(value).length !== 0) return "hidden_key";
  return Array.isArray(value) ? listObstacle(value) : mappingObstacle(value);
}

function listObstacle(list: readonly unknown[]): UnwrittenKind | undefined {
  if (isDense(list)) return undefined;
  const names = Object.getOwnPropertyNames(list);
  const size = list.length;
  // Indexes are named first, in rising order: the last index in its place means that none is missing.
  return size === 0 || names[size - 1] === String(size - 1) ? "hidden_key" : "sparse_list";
}

function mappingObstacle(mapping: object): UnwrittenKind | undefined {
  const names = Object.getOwnPropertyNames(mapping);
  if (names.length !== Object.keys(mapping).length) return "hidden_key";
  return names.every(isWellFormed) ? undefined : "ill_formed_key";
}

function encodeList(list: readonly unknown[], around: object[]): CanonicalValue {
  const encoded: CanonicalValue[] = [];
  for (let index = 0; index < list.length; index++) encoded.push(encodeProperty(list, index, around));
  return encoded;
}

function encodeMapping(mapping: object, around: object[]): CanonicalValue {
  const encoded: { [key: string]: CanonicalValue } = Object.create(null);
  for (const key of Object.keys(mapping)) {
    encoded[key.startsWith("$") ? `$${key}` : key] = encodeProperty(mapping, key, around);
  }
  return encoded;
}

function encodeProperty(container: object, key: string | number, around: object[]): CanonicalValue {
  const property = Object.getOwnPropertyDescriptor(container, key);
  // An accessor has no `value`, not even `undefined`; the key itself is there, for the caller has just listed it.
  if (property === undefined || !Object.hasOwn(property, "value")) return { $kind: "accessor" };
  return encode(property.value, around);
}

function decode(encoded: unknown, depth: number): unknown {
  switch (typeof encoded) {
    case "string":
      if (isWellFormed(encoded)) return encoded;
      throw new TaggedError("a string holds a surrogate without its partner");
    case "number":
      if (isPlainInteger(encoded)) return encoded;
      throw new TaggedError("a number is no safe integer: write it as `$float`");
    case "boolean":
      return encoded;
    case "object":
      if (encoded === null) return null;
      if (Array.isArray(encoded)) return decodeList(encoded, depth);
      if (isMapping(encoded)) return decodeMapping(encoded, depth);
      throw new TaggedError("an object is not plain data");
    case "bigint":
    case "undefined":
    case "function":
    case "symbol":
      throw new TaggedError("a value is not JSON data");
  }
}

function decodeList(encoded: readonly unknown[], depth: number): unknown {
  checkDepth(depth);
  const list: unknown[] = [];
  for (const item of encoded) list.push(decode(item, depth + 1));
  return list;
}

function decodeMapping(encoded: { readonly [key: string]: unknown }, depth: number): unknown {
  const keys = Object.keys(encoded);
  const tag = keys.find((key) => key.startsWith("$") && !key.startsWith("$$"));
  if (tag !== undefined) {
    if (keys.length !== 1) throw new TaggedError("a tag stands beside other keys: write `$` twice in a key");
    return decodeTag(tag, encoded[tag]);
  }
  checkDepth(depth);
  const mapping: { [key: string]: unknown } = Object.create(null);
  for (const key of keys) {
    if (!isWellFormed(key)) throw new TaggedError("a key holds a surrogate without its partner");
    mapping[key.startsWith("$") ? key.slice(1) : key] = decode(encoded[key], depth + 1);
  }
  return mapping;
}

function decodeTag(tag: string, content: unknown): unknown {
  switch (tag) {
    case "$float": {
      const number = Number(content);
      if (typeof content === "string" && !isPlainInteger(number) && floatText(number) === content)
        return number;
      break;
    }
    case "$bigint":
      if (typeof content === "string" && INTEGER_TEXT.test(content)) return BigInt(content);
      break;
    case "$undefined":
      if (content === true) return undefined;
      break;
    case "$kind":
      if (isUnwrittenKind(content)) return new UnwrittenValue(content);
      break;
    case "$digest":
      if (isHexDigest(content)) return new WithheldValue(content);
      break;
  }
  throw new TaggedError(
    "a tag is unknown, or holds what it cannot: `$float`, `$bigint`, `$undefined`, `$kind` and `$digest` are known",
  );
}

function checkDepth(depth: number): void {
  if (depth >= MAX_TAGGED_DEPTH) throw new TaggedError(`it is nested deeper than ${MAX_TAGGED_DEPTH} levels`);
}

const INTEGER_TEXT = new RegExp(`^(?:0|-?[1-9][0-9]{0,${MAX_INTEGER_DIGITS - 1}})$`);

function isPlainInteger(number: number): boolean {
  return Number.isSafeInteger(number) && !Object.is(number, -0);
}

function floatText(number: number): string {
  return Object.is(number, -0) ? "-0" : String(number);
}

function isWellFormed(text: string): boolean {
  return isUnescaped(text) || !/\p{Surrogate}/u.test(text);
}

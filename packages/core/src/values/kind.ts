import { isNativePrototype } from "./native-prototype.js";

/**
 * What a value is, as the policy language sees it. `set` is a real `Set`; `other` is everything that is not plain
 * data: functions, symbols, class instances, boxed primitives, dates, maps, buffers, errors, promises.
 */
export type Kind =
  | "absent"
  | "null"
  | "boolean"
  | "number"
  | "bigint"
  | "string"
  | "list"
  | "mapping"
  | "set"
  | "other";

/** A mapping of plain data: reading an own enumerable key is the only thing done with it. */
export type PlainMapping = { readonly [key: string]: unknown };

/** Levels of nesting that plain data may have; the value itself is at level 1. */
export const MAX_DEPTH = 128;

/** Tells the kind of a value. Reads no property of it, so it never runs an accessor; a proxy is seen as its target's kind. */
export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case "undefined":
      return "absent";
    case "boolean":
      return "boolean";
    case "number":
      return "number";
    case "bigint":
      return "bigint";
    case "string":
      return "string";
    case "symbol":
    case "function":
      return "other";
    case "object":
      if (value === null) return "null";
      if (isList(value)) return "list";
      if (isMapping(value)) return "mapping";
      return isSet(value) ? "set" : "other";
  }
}

/** Whether a value is a list: a true array, of this realm or another. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** Whether a value is a mapping: an object literal, an object without prototype, or the same from another realm. */
export function isMapping(value: unknown): value is PlainMapping {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return isNativePrototype(prototype, "Object") && !Array.isArray(value);
}

const setSize = Object.getOwnPropertyDescriptor(Set.prototype, "size")?.get;

/** Whether a value is a `Set` itself: not a subclass, whose methods may say anything, and not something dressed as one. */
function isSet(value: object): boolean {
  if (setSize === undefined || Object.getPrototypeOf(value) !== Set.prototype) return false;
  try {
    setSize.call(value);
    return true;
  } catch {
    return false; // only a real set has a size to read
  }
}

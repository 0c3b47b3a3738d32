import { isNativePrototype } from "../values/native-prototype.js";

/** Whether an array is an array and no more, of this realm or of another. An instance of a subclass is not. */
export function isPlainList(list: readonly unknown[]): boolean {
  const prototype: unknown = Object.getPrototypeOf(list);
  return prototype === Array.prototype || isNativePrototype(prototype, "Array");
}

/** Whether a list has every index below its length, and no other property of its own, symbols and hidden ones included. */
export function isDense(list: readonly unknown[]): boolean {
  const size = list.length;
  // Own keys are listed indexes first, in rising order, and `length` is always among them.
  const keys = Reflect.ownKeys(list);
  return keys.length === size + 1 && (size === 0 || keys[size - 1] === String(size - 1));
}

// Engines answer this several times faster than a descriptor for an index of an array. The cast holds because every
// engine has the method (ECMA-262, annex B); the library types leave it out.
const lookUpGetter = (Object.prototype as unknown as { __lookupGetter__(key: number): unknown })
  .__lookupGetter__;

/** Whether reading an item of a dense list would run a getter. An item with a setter alone reads as `undefined`. */
export function hasGetter(list: readonly unknown[], index: number): boolean {
  return lookUpGetter.call(list, index) !== undefined;
}

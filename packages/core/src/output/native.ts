import { isNativePrototype } from "../values/native-prototype.js";

const VIEWS = [
  "Uint8Array",
  "Int8Array",
  "Uint8ClampedArray",
  "Uint16Array",
  "Int16Array",
  "Uint32Array",
  "Int32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
];

/** Whether an object is the prototype of typed arrays of some kind, or of Node's buffers. */
export function isTypedArrayPrototype(prototype: unknown): boolean {
  return VIEWS.some((name) => isNativePrototype(prototype, name)) || isBufferPrototype(prototype);
}

/** Node's `Buffer` is a class of its own above `Uint8Array`, written in the language, and can only be told by its name. */
function isBufferPrototype(prototype: unknown): boolean {
  if (typeof prototype !== "object" || prototype === null) return false;
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof maker !== "function") return false;
  return (
    Object.getOwnPropertyDescriptor(maker, "name")?.value === "Buffer" &&
    Object.getOwnPropertyDescriptor(maker, "prototype")?.value === prototype &&
    isNativePrototype(Object.getPrototypeOf(prototype), "Uint8Array")
  );
}

import { isNativePrototype } from "../values/native-prototype.js";
import { isTypedArrayPrototype } from "./native.js";
import { Uninspectable } from "./uninspectable.js";

/** What is not plain data and yet may be returned, as what it counts. */
export type Special =
  /** A date, a typed array or a buffer: counts as a string. */
  | { readonly kind: "text"; readonly read: () => string }
  /** A map with string keys: counts as a mapping. */
  | { readonly kind: "entries"; readonly entries: readonly (readonly [key: string, value: unknown])[] }
  /** A set: counts as a list. */
  | { readonly kind: "items"; readonly items: readonly unknown[] };

// Taken once, so that neither a method replaced later nor one of the value's own is ever called.
const dateTime = Date.prototype.getTime;
const dateText = Date.prototype.toISOString;
const mapForEach = Map.prototype.forEach;
const setForEach = Set.prototype.forEach;
const bufferSlice = ArrayBuffer.prototype.slice;
const TypedArrayPrototype: object = Object.getPrototypeOf(Uint8Array.prototype);
const CHUNK = 8192;

/**
 * Reads a value that is neither a list nor a plain mapping. Runs no code of the value's own.
 *
 * @throws Uninspectable for everything but dates, maps, sets, typed arrays, buffers and array buffers as the language
 *   has them: of no subclass, without own properties, without shared memory.
 */
export function readSpecial(value: object): Special {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    readDate(value, prototype) ??
    readMap(value, prototype) ??
    readSet(value, prototype) ??
    readBytes(value, prototype) ??
    refuse()
  );
}

function readDate(value: object, prototype: unknown): Special | undefined {
  if (!isNativePrototype(prototype, "Date")) return undefined;
  const time = attempt(() => dateTime.call(value as Date)); // a value without the inner time throws
  if (time === undefined || hasOwnKeys(value)) return undefined;
  if (Number.isNaN(time)) throw new Uninspectable("an invalid date");
  return { kind: "text", read: () => dateText.call(new Date(time)) };
}

function readMap(value: object, prototype: unknown): Special | undefined {
  if (!isNativePrototype(prototype, "Map") || hasOwnKeys(value)) return undefined;
  const entries: (readonly [string, unknown])[] = [];
  let named = true;
  const read = attempt(() => {
    // A value that only looks like a map throws.
    mapForEach.call(value as Map<unknown, unknown>, (item, key) => {
      if (typeof key === "string") entries.push([key, item]);
      else named = false;
    });
    return entries;
  });
  if (read === undefined) return undefined;
  if (!named) throw new Uninspectable("a map with keys that are not strings");
  return { kind: "entries", entries };
}

function readSet(value: object, prototype: unknown): Special | undefined {
  if (!isNativePrototype(prototype, "Set") || hasOwnKeys(value)) return undefined;
  const items: unknown[] = [];
  const read = attempt(() => {
    setForEach.call(value as Set<unknown>, (item) => items.push(item)); // as with maps
    return items;
  });
  return read === undefined ? undefined : { kind: "items", items };
}

function readBytes(value: object, prototype: unknown): Special | undefined {
  const bytes = bytesOf(value, prototype);
  return bytes === undefined ? undefined : { kind: "text", read: () => bytesText(bytes) };
}

function bytesOf(value: object, prototype: unknown): Uint8Array | undefined {
  if (!ArrayBuffer.isView(value)) {
    if (!isNativePrototype(prototype, "ArrayBuffer") || !isArrayBuffer(value)) return undefined;
    return hasOwnKeys(value) ? undefined : new Uint8Array(value);
  }
  const typed = isTypedArrayPrototype(prototype);
  if (!typed && !isNativePrototype(prototype, "DataView")) return undefined;
  const source = typed ? TypedArrayPrototype : DataView.prototype;
  const buffer = readThrough(source, "buffer", value);
  const start = readThrough(source, "byteOffset", value);
  const size = readThrough(source, "byteLength", value);
  // Shared memory may change after it was judged.
  if (!isArrayBuffer(buffer) || typeof start !== "number" || typeof size !== "number") return undefined;
  const items = typed ? readThrough(source, "length", value) : 0;
  if (Reflect.ownKeys(value).length !== items) return undefined;
  return new Uint8Array(buffer, start, size);
}

/** Reads a property through its native getter, whatever the value itself has under that name. */
function readThrough(prototype: object, name: string, value: object): unknown {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get?.call(value);
}

function isArrayBuffer(value: unknown): value is ArrayBuffer {
  // Shared buffers and everything else make `slice` throw.
  return attempt(() => bufferSlice.call(value as ArrayBuffer, 0, 0)) !== undefined;
}

/** One character a byte. */
function bytesText(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return text;
}

function hasOwnKeys(value: object): boolean {
  return Reflect.ownKeys(value).length > 0;
}

/** The answer of a native method, or `undefined` where it refuses the value it was called on. */
function attempt<Answer>(method: () => Answer): Answer | undefined {
  try {
    return method();
  } catch {
    return undefined; // the value is not what its prototype says
  }
}

function refuse(): never {
  throw new Uninspectable("something that is not plain data");
}

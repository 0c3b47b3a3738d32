import { isProxy } from "#platform";
import { CanonicalError, type CanonicalValue, canonicalJson } from "../canonical/canonical-json.js";
import { compareCodePoints } from "../canonical/code-point-order.js";
import { hasGetter, isDense, isPlainList } from "../canonical/plain-list.js";
import { isList, isMapping, MAX_DEPTH } from "../values/kind.js";

/** Canonical data whose mappings have no prototype, frozen to the last level. */
export type FrozenMapping = { readonly [key: string]: CanonicalValue };

/**
 * A copy of canonical data that nobody can change: mappings without prototype and with their keys in code point order,
 * everything frozen. Each property is read once and no accessor runs. Values with equal canonical JSON have equal
 * copies: a bigint that is a safe integer becomes a number.
 *
 * @param leaveOut names of keys that are passed over, unread, at every depth
 * @throws {CanonicalError} for what has no canonical JSON
 */
export function frozenCopy(value: unknown, leaveOut?: ReadonlySet<string>): CanonicalValue {
  return copy(value, [], leaveOut);
}

function copy(value: unknown, path: (string | number)[], leaveOut?: ReadonlySet<string>): CanonicalValue {
  if (typeof value === "object" && value !== null) return copyContainer(value, path, leaveOut);
  try {
    canonicalJson(value);
  } catch (error) {
    throw error instanceof CanonicalError ? new CanonicalError(reasonOf(error), path.slice()) : error;
  }
  switch (typeof value) {
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    case "string":
    case "number":
    case "boolean":
      return value;
    case "object":
    case "undefined":
    case "function":
    case "symbol":
      return null; // null itself; the others have been refused above
  }
}

function reasonOf(error: CanonicalError): string {
  return error.message.slice(error.message.indexOf(": ") + 2);
}

function copyContainer(
  value: object,
  path: (string | number)[],
  leaveOut?: ReadonlySet<string>,
): CanonicalValue {
  const refuse = (reason: string): CanonicalError => new CanonicalError(reason, path.slice());
  if (path.length >= MAX_DEPTH) throw refuse(`it is nested deeper than ${MAX_DEPTH} levels, or in a cycle`);
  if (isProxy(value)) throw refuse("a proxy may answer differently each time: pass a plain copy");
  if (Object.getOwnPropertySymbols(value).length !== 0) throw refuse("a key is a symbol: use a string");
  if (isList(value)) {
    if (!isPlainList(value) || !isDense(value)) throw refuse("an array is not a true, dense array");
    const size = value.length;
    const list: CanonicalValue[] = [];
    for (let index = 0; index < size; index++) {
      if (hasGetter(value, index)) throw refuse("an item is an accessor: pass a plain copy");
      path.push(index);
      list.push(copy(value[index], path, leaveOut));
      path.pop();
    }
    return Object.freeze(list);
  }
  if (!isMapping(value)) throw refuse("an object is not plain data: pass a plain object or an array");
  // Without a prototype, `__proto__` is an ordinary key here.
  const mapping: { [key: string]: CanonicalValue } = Object.create(null);
  for (const key of Object.getOwnPropertyNames(value).sort(compareCodePoints)) {
    if (leaveOut?.has(key) === true) continue;
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property?.enumerable !== true || !Object.hasOwn(property, "value")) {
      throw refuse("a property is an accessor or hidden: pass a plain copy");
    }
    path.push(key);
    canonicalJson(key); // ill-formed text is refused as a key too
    mapping[key] = copy(property.value, path, leaveOut);
    path.pop();
  }
  return Object.freeze(mapping);
}

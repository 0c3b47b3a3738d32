import { compareCodePoints, type PolicyValue } from "d2-core";

/** A text that is equal for operands that every value compares with alike: the order of keys does not count. */
export function valueKey(value: PolicyValue): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(valueKey).join()}]`;
  const keys = Object.keys(value).sort(compareCodePoints);
  return `{${keys.map((key) => `${JSON.stringify(key)}:${valueKey(value[key] ?? null)}`).join()}}`;
}

function isList(value: object): value is readonly PolicyValue[] {
  return Array.isArray(value);
}

import { isMapping } from "../values/kind.js";
import { mappingOf } from "./rebuild.js";
import { readSpecial } from "./special.js";

/**
 * An inspected value with everything replaced by what it counts as: dates, typed arrays and buffers by strings, maps by
 * mappings, sets by lists. Parts without any of these are shared with the value.
 */
export function counted(value: unknown, known = new Map<object, unknown>()): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (known.has(value)) return known.get(value);
  const result = replaced(value, known);
  known.set(value, result);
  return result;
}

function replaced(value: object, known: Map<object, unknown>): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => counted(item, known));
    return items.some((item, index) => !Object.is(item, value[index])) ? items : value;
  }
  if (isMapping(value)) {
    const entries = Object.entries(value).map(([key, item]) => [key, counted(item, known)] as const);
    return entries.some(([key, item]) => !Object.is(item, value[key])) ? mappingOf(entries) : value;
  }
  const special = readSpecial(value);
  switch (special.kind) {
    case "text":
      return special.read();
    case "items":
      return special.items.map((item) => counted(item, known));
    case "entries":
      return mappingOf(special.entries.map(([key, item]) => [key, counted(item, known)] as const));
  }
}

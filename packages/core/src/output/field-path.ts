import { isList, isMapping } from "../values/kind.js";
import { readSpecial } from "./special.js";

/**
 * Calls `visit` with every value that a path leads to from the top of an inspected value: a list on the way means every
 * item, and `a.b` also leads to a key that is literally named so. `undefined` is absent.
 *
 * @param path `undefined`: the value itself
 * @returns whether the field is there: in every item of every list on the way, by one of the ways to read the path
 */
export function followPath(
  value: unknown,
  path: string | undefined,
  visit: (value: unknown) => void,
  seen = new Map<object, Map<string, boolean>>(),
): boolean {
  if (value === undefined) return false;
  if (path === undefined) {
    visit(value);
    return true;
  }
  if (typeof value !== "object" || value === null) return false;
  // Shared parts are looked into once a path.
  let paths = seen.get(value);
  if (paths === undefined) {
    paths = new Map();
    seen.set(value, paths);
  }
  const known = paths.get(path);
  if (known !== undefined) return known;
  const found = isThere(value, path, visit, seen);
  paths.set(path, found);
  return found;
}

function isThere(
  value: object,
  path: string,
  visit: (value: unknown) => void,
  seen: Map<object, Map<string, boolean>>,
): boolean {
  const items = itemsOf(value);
  if (items !== undefined) {
    let everywhere = true;
    for (const item of items) if (!followPath(item, path, visit, seen)) everywhere = false;
    return everywhere;
  }
  const entry = entryReader(value);
  if (entry === undefined) return false;
  let found = false;
  for (let dot = path.indexOf("."); ; dot = path.indexOf(".", dot + 1)) {
    const key = dot === -1 ? path : path.slice(0, dot);
    if (followPath(entry(key), dot === -1 ? undefined : path.slice(dot + 1), visit, seen)) found = true;
    if (dot === -1) return found;
  }
}

function itemsOf(value: object): readonly unknown[] | undefined {
  if (isList(value)) return value;
  if (isMapping(value)) return undefined;
  const special = readSpecial(value);
  return special.kind === "items" ? special.items : undefined;
}

function entryReader(value: object): ((key: string) => unknown) | undefined {
  if (isMapping(value)) return (key) => (Object.hasOwn(value, key) ? value[key] : undefined);
  const special = readSpecial(value);
  if (special.kind !== "entries") return undefined;
  return (key) => special.entries.find(([name]) => name === key)?.[1];
}

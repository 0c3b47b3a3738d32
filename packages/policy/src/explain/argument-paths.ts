import type { ParameterNames } from "d2-core";

/** The arguments of a call, as far as paths are concerned. */
export interface Arguments {
  readonly names: ParameterNames | undefined;
  readonly args: readonly unknown[];
}

/** Stands for "leave it out". */
export const LEFT_OUT: unique symbol = Symbol("left out");

/** Levels that are entered. */
const MAX_DEPTH = 64;

/** Every value that a dotted path leads to: keys with dots in their names and items of lists included. */
export function valuesAt({ names, args }: Arguments, path: string): unknown[] {
  const found: unknown[] = [];
  collect(names === undefined ? args[0] : named(names, args), path.split("."), found, 0);
  return found;
}

function collect(holder: unknown, parts: readonly string[], found: unknown[], depth: number): void {
  if (depth > MAX_DEPTH) return;
  if (isList(holder)) {
    for (const item of holder) collect(item, parts, found, depth + 1);
    return;
  }
  for (const used of usable(holder, parts)) {
    const value = entryOf(holder, parts.slice(0, used).join("."));
    if (used === parts.length) found.push(value);
    else collect(value, parts.slice(used), found, depth + 1);
  }
}

/**
 * The arguments with another value wherever a path leads to, or without one there. Where it leads nowhere the value is
 * put under the path's own parts. `undefined`: the path begins with no argument that can be set.
 */
export function withArgument(
  { names, args }: Arguments,
  path: string,
  value: unknown,
): readonly unknown[] | undefined {
  const parts = path.split(".");
  if (names === undefined) return args.length > 1 ? undefined : [replaced(args[0], parts, value, 0)];
  const holder = replaced(named(names, args), parts, value, 0);
  const known = [...names.positions.keys()].filter((name) => entryOf(holder, name) !== undefined);
  if (value !== LEFT_OUT && !known.some((name) => path === name || path.startsWith(`${name}.`)))
    return undefined;
  return positional(names, holder, args);
}

function replaced(holder: unknown, parts: readonly string[], value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) return holder;
  if (isList(holder)) return holder.map((item) => replaced(item, parts, value, depth + 1));
  const copy = copyOf(holder);
  const reached = usable(holder, parts);
  for (const used of reached) {
    const key = parts.slice(0, used).join(".");
    put(copy, key, used === parts.length ? value : inside(copy[key], parts.slice(used), value, depth + 1));
  }
  const [first = "", ...rest] = parts;
  if (reached.length === 0 && value !== LEFT_OUT) {
    put(copy, first, rest.length === 0 ? value : replaced(undefined, rest, value, depth + 1));
  }
  return copy;
}

/** What cannot be entered is left out with what should be inside it. */
function inside(holder: unknown, parts: readonly string[], value: unknown, depth: number): unknown {
  if (value === LEFT_OUT && !isList(holder) && !isPlain(holder)) return LEFT_OUT;
  return replaced(holder, parts, value, depth);
}

function put(copy: Record<string, unknown>, key: string, value: unknown): void {
  if (value === LEFT_OUT) delete copy[key];
  else copy[key] = value;
}

/** The numbers of parts that together name a key which the holder has. */
function usable(holder: unknown, parts: readonly string[]): number[] {
  const counts = parts.map((_, index) => index + 1);
  return counts.filter((used) => entryOf(holder, parts.slice(0, used).join(".")) !== undefined);
}

function entryOf(holder: unknown, key: string): unknown {
  return isPlain(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined;
}

/** Without a prototype, so that `__proto__` is a key like any other. */
function copyOf(holder: unknown): Record<string, unknown> {
  const copy: Record<string, unknown> = Object.create(null);
  if (isPlain(holder)) for (const key of Object.keys(holder)) copy[key] = holder[key];
  return copy;
}

function named(names: ParameterNames, args: readonly unknown[]): Record<string, unknown> {
  const holder: Record<string, unknown> = Object.create(null);
  for (const [name, position] of names.positions) {
    const value = name === names.rest ? args.slice(names.count) : args[position];
    if (value !== undefined) holder[name] = value;
  }
  return holder;
}

function positional(names: ParameterNames, holder: unknown, args: readonly unknown[]): readonly unknown[] {
  const rest = names.rest === undefined ? undefined : entryOf(holder, names.rest);
  const fixed: unknown[] = [];
  for (const [name, position] of names.positions) {
    if (name !== names.rest) fixed[position] = entryOf(holder, name);
  }
  if (names.rest === undefined) return [...fixed, ...args.slice(names.count)];
  return [...fixed, ...(isList(rest) ? rest : [])];
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isPlain(value: unknown): value is { readonly [key: string]: unknown } {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

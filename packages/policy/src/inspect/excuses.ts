import type { ToolSets } from "./tool-sets.js";

/** How an allow pattern can hold a deny pattern. */
export interface Excuse {
  /** Steps before the deny pattern's first and, where it has two steps, between them; absent: it cannot be said so simply. */
  readonly before: readonly string[] | undefined;
  readonly between: readonly string[] | undefined;
}

/**
 * How the calls of a deny pattern can be among the calls of an allow pattern that ends with the same call. `undefined`:
 * they never can, so the allow pattern never excuses it.
 */
export function excuseOf(
  denied: readonly string[],
  allowed: readonly string[],
  tools: ToolSets,
): Excuse | undefined {
  if (allowed.length < denied.length || !overlapping(denied, allowed, tools)) return undefined;
  const [first = "", last] = denied;
  const places = [...allowed.slice(0, -1).keys()].filter((at) =>
    tools.matcher(allowed[at] ?? "").overlaps(tools.matcher(first)),
  );
  const [at] = places;
  // With more than one place for the first step, or other tools in it, only the pattern as a whole says it right.
  const simple = denied.length === 2 && places.length === 1 && allowed.at(-1) === last;
  if (!simple || at === undefined || allowed[at] !== first) return { before: undefined, between: undefined };
  return { before: allowed.slice(0, at), between: allowed.slice(at + 1, -1) };
}

/** Whether the deny pattern's steps share tools with steps of the allow pattern in order, the last with the last. */
function overlapping(denied: readonly string[], allowed: readonly string[], tools: ToolSets): boolean {
  const overlaps = (one: string, other: string) => tools.matcher(one).overlaps(tools.matcher(other));
  if (!overlaps(denied.at(-1) ?? "", allowed.at(-1) ?? "")) return false;
  const before = denied.slice(0, -1);
  let next = 0;
  // The earliest place for each step leaves the most room for those after it.
  for (const step of allowed.slice(0, -1)) {
    const wanted = before[next];
    if (wanted !== undefined && overlaps(wanted, step)) next++;
  }
  return next === before.length;
}

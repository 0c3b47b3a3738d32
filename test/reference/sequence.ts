/** Section 4 of the policy language by brute force: every witness of every pattern is written out. */

/** One allowed call. Times are ticks over the whole tree of sessions; each start and each end has its own. */
export interface Call {
  readonly tool: string;
  readonly roles: readonly string[];
  /** The call that encloses this one, also where it belongs to a session further out. */
  readonly parent: Call | null;
  readonly begin: number;
  end: number;
  status: "running" | "released" | "failed";
}

/** A pattern's steps: whether a tool is what the step names. */
export type Pattern = readonly ((tool: string) => boolean)[];

/** What one role says about sequences, all entries that name it taken together. */
export interface SequenceRules {
  readonly denyMode: boolean;
  readonly deny: readonly Pattern[];
  readonly allow: readonly Pattern[];
}

function encloses(outer: Call, inner: Call): boolean {
  return inner.parent !== null && (inner.parent === outer || encloses(outer, inner.parent));
}

/** For allow patterns: returned and released, or running around the call that is being decided. */
function counts(call: Call, next: Call): boolean {
  return call.status === "released" || (call.status === "running" && encloses(call, next));
}

/** Of two neighbours the first has returned, or encloses the second, before the second began. */
function follows(first: Call | undefined, second: Call): boolean {
  return first === undefined || first.end < second.begin || encloses(first, second);
}

/**
 * All ways in which the steps before the last occur in the history, in this order, gaps allowed: the positions used.
 * With `required`, only those that contain all these positions: a way that has passed one over cannot contain it.
 */
function* witnesses(
  pattern: Pattern,
  history: readonly Call[],
  fits: (previous: Call | undefined, call: Call) => boolean,
  required: readonly number[] = [],
  chosen: readonly number[] = [],
): Generator<readonly number[]> {
  const last = chosen.at(-1) ?? -1;
  if (chosen.length === pattern.length - 1) {
    if (required.every((position) => chosen.includes(position))) yield chosen;
    return;
  }
  for (const [position, call] of history.entries()) {
    if (position <= last) continue;
    if (pattern[chosen.length]?.(call.tool) && fits(history[last], call))
      yield* witnesses(pattern, history, fits, required, [...chosen, position]);
    if (required.includes(position)) return;
  }
}

/** Whether an allow pattern ends at `next` with a witness that contains these positions. */
function endsHere(
  pattern: Pattern,
  history: readonly Call[],
  next: Call,
  positions: readonly number[],
): boolean {
  if (!pattern.at(-1)?.(next.tool)) return false;
  const fits = (previous: Call | undefined, call: Call) => counts(call, next) && follows(previous, call);
  for (const witness of witnesses(pattern, history, fits, positions))
    if (follows(history[witness.at(-1) ?? -1], next)) return true;
  return false;
}

/** Whether an allow pattern begins with exactly the calls that count and `next`. */
function beginsSo(pattern: Pattern, history: readonly Call[], next: Call): boolean {
  const line = [...history.filter((call) => counts(call, next)), next];
  return line.every((call, at) => pattern[at]?.(call.tool) === true && follows(line[at - 1], call));
}

/** Whether the sequence layer refuses `next` to a user who holds these roles. */
export function sequenceDenies(
  roles: readonly SequenceRules[],
  history: readonly Call[],
  next: Call,
): boolean {
  for (const role of roles)
    for (const pattern of role.deny.filter((each) => each.at(-1)?.(next.tool)))
      for (const witness of witnesses(pattern, history, () => true))
        if (!role.allow.some((allow) => endsHere(allow, history, next, witness))) return true;
  const strict = roles.filter((role) => role.denyMode);
  const permits = (allow: Pattern) => endsHere(allow, history, next, []) || beginsSo(allow, history, next);
  return strict.length > 0 && !strict.some((role) => role.allow.some(permits));
}

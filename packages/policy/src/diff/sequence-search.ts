import type { Decision } from "d2-core";
import type { Walk, WalkState } from "../reach/walk.js";
import type { ExampleCall } from "./policy-diff.js";

/** A sequence of calls that both policies allow up to its last, of which they decide differently. */
export interface FoundSequence {
  readonly kind: "sequence_opened" | "sequence_closed";
  /** The denial of the policy that refuses the last call. */
  readonly denial: Decision;
  readonly calls: readonly ExampleCall[];
}

export interface SearchedSequences {
  /** The shortest sequence for each deciding rule of either policy. */
  readonly found: readonly FoundSequence[];
  /** Pairs of states looked at. */
  readonly states: number;
  /** What the calls tried have cost. */
  readonly spent: number;
  readonly incomplete: boolean;
}

/** One policy as the search sees it. */
export interface SearchSide {
  readonly walk: Walk;
  denial(state: WalkState, tool: string): Decision | undefined;
}

export interface SearchOptions {
  /** Both policies let the user call each of them as far as sequences and labels allow. */
  readonly tools: readonly string[];
  readonly maxStates: number;
  /** What the calls tried may cost, in all states together. */
  readonly maxCost: number;
  /** What one call costs. */
  readonly cost: number;
  /** Tools whose outputs the policies judge differently. */
  readonly judgedOtherwise: (tool: string) => boolean;
  /** Whether a denial is a change that is told otherwise. */
  readonly told: (denial: Decision, tool: string) => boolean;
}

interface Pair {
  readonly before: WalkState;
  readonly after: WalkState;
  /** On the way some value was released under the old policy only. */
  readonly parted: boolean;
  readonly from: Pair | undefined;
  readonly call: ExampleCall | undefined;
}

/** More than a search ever has, of either policy: two numbers below it make one that is exact. */
const MOST_STATES = 2 ** 26;

/**
 * Searches the sessions of one user under two policies side by side, shortest first: every call that both allow is made,
 * once released and once failed, until no new pair of states comes up. So where nothing is found and the search is
 * complete, no sequence of calls, each ended before the next begins, is decided differently at any of its calls.
 *
 * Where only the new policy refuses an output, the call counts for the old one alone; then it matters only what that
 * opens, for what it closes follows from the output rule.
 */
export function searchSequences(
  before: SearchSide,
  after: SearchSide,
  options: SearchOptions,
): SearchedSequences {
  const { tools } = options;
  const found = new Map<string, FoundSequence>();
  const seen = new Set<number>();
  const queue: Pair[] = [];
  const numbers = new Map<WalkState, number>();
  const numberOf = (state: WalkState): number => {
    const known = numbers.get(state);
    if (known !== undefined) return known;
    numbers.set(state, numbers.size);
    return numbers.size - 1;
  };
  let incomplete = false;
  let spent = 0;
  let tried = 0;
  /** Most calls lead to a pair that is known: nothing is made for those. */
  const reach = (
    old: WalkState,
    now: WalkState,
    parted: boolean,
    from: Pair | undefined,
    tool = "",
    ended: ExampleCall["ended"] = "released",
  ): void => {
    const key = (numberOf(old) * MOST_STATES + numberOf(now)) * 2 + (parted ? 1 : 0);
    if (seen.has(key)) return;
    if (seen.size >= options.maxStates) {
      incomplete = true;
      return;
    }
    seen.add(key);
    const call = from === undefined ? undefined : { tool, ended };
    queue.push({ before: old, after: now, parted, from, call });
  };
  const reachFrom = (pair: Pair, tool: string): void => {
    const { parted } = pair;
    const released = before.walk.released(pair.before, tool);
    const failed = after.walk.failed(pair.after, tool);
    reach(released, after.walk.released(pair.after, tool), parted, pair, tool, "released");
    reach(before.walk.failed(pair.before, tool), failed, parted, pair, tool, "failed");
    if (options.judgedOtherwise(tool)) reach(released, failed, true, pair, tool, "released_before");
  };
  reach(before.walk.initial, after.walk.initial, false, undefined);
  for (let next = 0; next < queue.length && spent < options.maxCost; next += 1) {
    const pair = queue[next];
    if (pair === undefined) break;
    for (const tool of tools) {
      if (spent >= options.maxCost) break;
      spent += options.cost;
      tried += 1;
      const old = before.denial(pair.before, tool);
      const now = after.denial(pair.after, tool);
      if (old === undefined && now === undefined) reachFrom(pair, tool);
      else if (old === undefined || now === undefined) note(pair, tool, old, now);
    }
  }
  if (tried < queue.length * tools.length) incomplete = true;
  return { found: [...found.values()], states: seen.size, spent, incomplete };

  function note(pair: Pair, tool: string, old: Decision | undefined, now: Decision | undefined): void {
    const denial = old ?? now;
    if (denial === undefined || options.told(denial, tool)) return;
    const kind = old === undefined ? "sequence_closed" : "sequence_opened";
    if (kind === "sequence_closed" && pair.parted) return;
    const key = JSON.stringify([kind, denial.rule ?? null, denial.detail ?? null]);
    if (found.has(key)) return;
    found.set(key, { kind, denial, calls: [...callsTo(pair), { tool, ended: "next" }] });
  }
}

function callsTo(pair: Pair): ExampleCall[] {
  const calls: ExampleCall[] = [];
  for (let at: Pair | undefined = pair; at !== undefined; at = at.from)
    if (at.call !== undefined) calls.push(at.call);
  return calls.reverse();
}

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
  /** Calls tried. */
  readonly steps: number;
  readonly incomplete: boolean;
}

/** One policy as the search sees it. */
export interface SearchSide {
  readonly walk: Walk;
  denial(state: WalkState, tool: string): Decision | undefined;
}

/** Equal for tools that no state of the walk tells apart, whoever grants them. */
function kindOf({ walk }: SearchSide, tool: string): string {
  const { toolClass, labels, blocks } = walk.view.entry(tool);
  return JSON.stringify([toolClass, labels, blocks.map(({ label }) => label)]);
}

export interface SearchOptions {
  /** Both policies let the user call each of them as far as sequences and labels allow. */
  readonly tools: readonly string[];
  readonly maxStates: number;
  /** Calls tried, in all states together. */
  readonly maxSteps: number;
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
  const tools = distinctTools(before, after, options);
  const found = new Map<string, FoundSequence>();
  const seen = new Set<string>();
  const queue: Pair[] = [];
  // The keys of states can be long, and each is paired with many.
  const numbers = new Map<WalkState, number>();
  const numberOf = (state: WalkState): number => {
    const known = numbers.get(state) ?? numbers.size;
    numbers.set(state, known);
    return known;
  };
  let incomplete = false;
  let steps = 0;
  const reach = (pair: Pair): void => {
    const key = `${numberOf(pair.before)} ${numberOf(pair.after)} ${pair.parted}`;
    if (seen.has(key)) return;
    if (seen.size >= options.maxStates) {
      incomplete = true;
      return;
    }
    seen.add(key);
    queue.push(pair);
  };
  reach({
    before: before.walk.initial,
    after: after.walk.initial,
    parted: false,
    from: undefined,
    call: undefined,
  });
  for (let next = 0; next < queue.length; next += 1) {
    const pair = queue[next];
    if (pair === undefined) break;
    if (steps >= options.maxSteps) {
      incomplete = true;
      break;
    }
    steps += tools.length;
    for (const tool of tools) {
      const old = before.denial(pair.before, tool);
      const now = after.denial(pair.after, tool);
      if (old === undefined && now === undefined) for (const step of stepsFrom(pair, tool)) reach(step);
      else if (old === undefined || now === undefined) note(pair, tool, old, now);
    }
  }
  return { found: [...found.values()], states: seen.size, steps, incomplete };

  function* stepsFrom(pair: Pair, tool: string): Generator<Pair> {
    const { parted } = pair;
    const ended = (
      how: ExampleCall["ended"],
      states: Pick<Pair, "before" | "after">,
      apart: boolean,
    ): Pair => ({
      ...states,
      parted: apart,
      from: pair,
      call: { tool, ended: how },
    });
    const released = before.walk.released(pair.before, tool);
    const failed = after.walk.failed(pair.after, tool);
    yield ended("released", { before: released, after: after.walk.released(pair.after, tool) }, parted);
    yield ended("failed", { before: before.walk.failed(pair.before, tool), after: failed }, parted);
    if (options.judgedOtherwise(tool))
      yield ended("released_before", { before: released, after: failed }, true);
  }

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

/** One tool of each kind that neither policy tells apart. */
function distinctTools(before: SearchSide, after: SearchSide, options: SearchOptions): readonly string[] {
  const kinds = new Map<string, string>();
  for (const tool of options.tools) {
    const kind = JSON.stringify([kindOf(before, tool), kindOf(after, tool), options.judgedOtherwise(tool)]);
    if (!kinds.has(kind)) kinds.set(kind, tool);
  }
  return [...kinds.values()];
}

import type { Decision, Plan } from "d2-core";
import { Walk, type WalkState } from "../reach/walk.js";
import {
  type FoundSequence,
  type SearchedSequences,
  type SearchOptions,
  searchSequences,
} from "./sequence-search.js";
import { type SequenceSlice, sequenceSlices, wholeSlice } from "./sequence-slice.js";

export interface SliceSearchOptions extends Omit<SearchOptions, "tools" | "cost" | "judgedOtherwise"> {
  readonly plans: readonly [old: Plan, now: Plan];
  readonly roles: readonly string[];
  /** Both policies let the user call each of them as far as sequences and labels allow. */
  readonly tools: readonly string[];
  /** The labels that count. */
  readonly labels: ReadonlySet<string>;
  /** Tools whose outputs the policies judge differently. */
  readonly judgedOtherwise: ReadonlySet<string>;
  readonly denial: (walk: Walk, state: WalkState, tool: string) => Decision | undefined;
}

/** Patterns that make a call twice as dear to follow as none. */
const HEAVY_PATTERNS = 8;

/** Pairs of states that a probe looks at. */
const PROBE_STATES = 200;

/** Searches every part of two automata that can hold a difference, each with an equal share of what may be spent. */
export function searchSlices(options: SliceSearchOptions): SearchedSequences {
  const { plans, roles, tools, labels, judgedOtherwise, denial } = options;
  const walks = [new Walk(plans[0], roles, { labels }), new Walk(plans[1], roles, { labels })] as const;
  const judged = (tool: string) => judgedOtherwise.has(tool);
  const slices =
    judgedOtherwise.size > 0
      ? [wholeSlice(walks, tools, labels, judged)]
      : sequenceSlices(walks, tools, labels);
  const found = new Map<string, FoundSequence>();
  let states = 0;
  let spent = 0;
  let incomplete = false;
  const parts = slices.filter(({ probe }) => !probe).length;
  for (const [n, slice] of slices.entries()) {
    // Where everything was seen there is nothing left to try.
    if (slice.probe && !incomplete) break;
    const share = (left: number, all: number): number => Math.max(1, Math.ceil(left / (all - n)));
    const side = (which: 0 | 1) => {
      const walk = new Walk(plans[which], roles, { labels: slice.labels, space: slice.spaces[which] });
      return { walk, denial: (state: WalkState, tool: string) => denial(walk, state, tool) };
    };
    const part = searchSequences(side(0), side(1), {
      tools: slice.tools,
      maxStates: slice.probe ? PROBE_STATES : share(options.maxStates - states, parts),
      // All probes together may spend as much as one part.
      maxCost: share(
        options.maxCost - spent,
        slice.probe || parts === slices.length ? slices.length : parts + 1,
      ),
      cost: costOf(slice, walks),
      judgedOtherwise: judged,
      told: options.told,
    });
    states += part.states;
    spent += part.spent;
    incomplete ||= part.incomplete;
    for (const it of part.found) {
      const known = found.get(ruleKey(it));
      if (known === undefined || it.calls.length < known.calls.length) found.set(ruleKey(it), it);
    }
  }
  const shortest = [...found.values()].sort((a, b) => a.calls.length - b.calls.length);
  return { found: shortest, states, spent, incomplete };
}

/** Equal for sequences that the same rule of the same policy decides. */
export function ruleKey({ kind, denial }: FoundSequence): string {
  return JSON.stringify([kind, denial.rule ?? null, denial.detail ?? null]);
}

/** What it takes to follow one call through both automata, with their patterns. */
function costOf({ spaces }: SequenceSlice, walks: readonly [Walk, Walk]): number {
  const roles = walks.flatMap(({ view }, side) => (spaces[side] ?? view.space)?.program.roles ?? []);
  const patterns = roles.flatMap(({ deny, allow }) => [...deny, ...allow]);
  return 1 + patterns.length / (2 * HEAVY_PATTERNS);
}

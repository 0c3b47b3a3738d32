import type { Decision } from "d2-core";
import { Walk, type WalkState } from "../reach/walk.js";
import type { Stop } from "./analysis.js";
import type { Letter } from "./letters.js";
import { isAsGood, type Pursuit } from "./order.js";
import type { Slice } from "./slice.js";

/** What all searches of an analysis may still spend. */
export interface Budget {
  states: number;
  /** Calls tried, each the dearer the more patterns there are: about what a search takes time for. */
  moves: number;
}

/** One call of a path. */
export interface Move {
  readonly letter: Letter;
  readonly released: boolean;
}

/** A state on the way, with how it was come to. */
export interface Place {
  readonly state: WalkState;
  /** Whether a call that the question begins with has been made. */
  readonly begun: boolean;
  readonly calls: number;
  readonly before: Place | undefined;
  readonly move: Move | undefined;
}

export interface Problem {
  readonly walk: Walk;
  readonly slice: Slice;
  readonly budget: Budget;
  /** What part of it this search may spend. */
  readonly share: number;
  readonly pursuit?: Pursuit | undefined;
  /** Letters that a path must have called before its goal; absent: none. */
  readonly begins?: ((letter: Letter) => boolean) | undefined;
  /** Whether this call, which is denied by `denial` or allowed, is what is looked for. */
  readonly goal: (place: Place, letter: Letter, denial: Decision | undefined) => boolean;
  /** Whether a path may hold this move. Default: every one. */
  readonly usable?: ((move: Move) => boolean) | undefined;
  /** Told of every denial. */
  readonly denied?: ((place: Place, letter: Letter, denial: Decision) => void) | undefined;
}

export type Outcome =
  | { readonly kind: "found"; readonly path: readonly Move[]; readonly states: number }
  /** Nothing is left to look at: there is no such path. */
  | { readonly kind: "closed"; readonly states: number }
  | { readonly kind: "stopped"; readonly why: Stop; readonly calls: number; readonly states: number };

/** Threads that a session keeps a rule step (the language's section 4, "Cost"): from then on it gives up excuses. */
const KEPT_THREADS = 256;
/** Patterns that make a call twice as dear to follow as none. */
const HEAVY_PATTERNS = 8;
/** States that a new one is compared with. With fewer comparisons more states are looked at, none is missed. */
const COMPARED = 64;

/** The walk of a slice. */
export function walkOf(
  slice: Slice,
  plan: ConstructorParameters<typeof Walk>[0],
  roles: readonly string[],
): Walk {
  return new Walk(plan, roles, {
    labels: slice.labels,
    space: slice.space,
    start: slice.start,
    interned: false,
  });
}

/**
 * Looks for a shortest path to a goal, breadth first. A state from which no more can be reached than from one that was
 * found before is passed over, so a search that ends with nothing left has proved that there is no path.
 */
export function search(problem: Problem): Outcome {
  const { walk, slice, budget, goal, usable, denied, share } = problem;
  const [fewestStates, fewestMoves] = [budget.states * (1 - share), budget.moves * (1 - share)];
  const begins = problem.begins ?? (() => true);
  const seen = new Seen(problem.pursuit ?? {});
  const failing = problem.pursuit?.deny !== undefined;
  const start: Place = {
    state: walk.initial,
    begun: problem.begins === undefined,
    calls: 0,
    before: undefined,
    move: undefined,
  };
  const patterns = slice.space?.program.roles.flatMap(({ deny, allow }) => [...deny, ...allow]) ?? [];
  const weight = 1 + patterns.length / HEAVY_PATTERNS;
  seen.add(start.state, start.begun);
  const queue: Place[] = [start];
  budget.states -= 1;
  for (let at = 0; at < queue.length; at += 1) {
    const place = queue[at];
    if (place === undefined) break;
    for (const letter of slice.letters) {
      budget.moves -= weight;
      const denial = walk.denial(place.state, letter.tool);
      if (place.begun && goal(place, letter, denial))
        return { kind: "found", path: [...pathTo(place), { letter, released: true }], states: queue.length };
      if (denial !== undefined) {
        denied?.(place, letter, denial);
        continue;
      }
      const begun = place.begun || begins(letter);
      // A call that failed never helps more than one that was released, but where what counts must not grow.
      const endings = failing || countsExactly(place.state) ? [true, false] : [true];
      if (usable !== undefined && !usable({ letter, released: true }))
        endings.splice(0, endings.length, false);
      for (const released of endings) {
        const move = { letter, released };
        if (usable !== undefined && !usable(move)) continue;
        const state = released
          ? walk.released(place.state, letter.tool)
          : walk.failed(place.state, letter.tool);
        if (state.key === place.state.key && begun === place.begun) continue;
        if (!seen.add(state, begun)) continue;
        if (isFull(state))
          return { kind: "stopped", why: "threads", calls: place.calls, states: queue.length };
        queue.push({ state, begun, calls: place.calls + 1, before: place, move });
        budget.states -= 1;
      }
      if (budget.states <= fewestStates || budget.moves <= fewestMoves)
        return { kind: "stopped", why: "states", calls: place.calls, states: queue.length };
    }
  }
  return { kind: "closed", states: queue.length };
}

function pathTo(place: Place): Move[] {
  const path: Move[] = [];
  for (let at: Place | undefined = place; at?.move !== undefined; at = at.before) path.push(at.move);
  return path.reverse();
}

/** Whether an allow-listed role still asks that what counts be exactly the beginning of a pattern. */
function countsExactly({ node }: WalkState): boolean {
  return (node?.state.roles ?? []).some(({ exact }) => exact.patterns.length > 0);
}

function isFull({ node }: WalkState): boolean {
  return (node?.state.roles ?? []).some(({ threads }) =>
    threads.some((levels) => levels.some((level) => level.length >= KEPT_THREADS)),
  );
}

/** The states found so far, those apart after which the question has begun. */
class Seen {
  readonly #pursuit: Pursuit;
  readonly #keys = new Set<string>();
  readonly #begun: WalkState[] = [];
  readonly #before: WalkState[] = [];

  constructor(pursuit: Pursuit) {
    this.#pursuit = pursuit;
  }

  /** Adds a state, unless one that is as good is there. */
  add(state: WalkState, begun: boolean): boolean {
    const key = `${begun ? "+" : "-"}${state.key}`;
    if (this.#keys.has(key)) return false;
    if (this.#isCovered(state, this.#begun)) return false;
    if (!begun && this.#isCovered(state, this.#before)) return false;
    this.#keys.add(key);
    const list = begun ? this.#begun : this.#before;
    if (list.length < COMPARED) list.push(state);
    return true;
  }

  #isCovered(state: WalkState, list: readonly WalkState[]): boolean {
    return list.some((known) => isAsGood(known, state, this.#pursuit));
  }
}

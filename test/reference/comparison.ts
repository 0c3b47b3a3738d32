/** Runs a case on the reference evaluator and on another surface, and tells where they part. */
import { isDeepStrictEqual } from "node:util";
import type { AuthoredPolicy, Ending, User, Verdict } from "./authored.js";
import { ReferenceSession } from "./evaluator.js";
import type { Case, Event } from "./script.js";

/** One session of a surface. Calls are numbered from 0 in the order in which they were allowed, over all its sessions. */
export interface SurfaceSession {
  /** Decides a call; an allowed one runs from then on. `parent`: the running call that it is made from. */
  start(
    tool: string,
    args: Readonly<Record<string, unknown>>,
    parent: number | null,
  ): { readonly decision: Verdict; readonly call?: number };
  /** Judges what a running call of any session of the tree ended with. An error that may go on is allowed, without a value. */
  end(call: number, ending: Ending): { readonly decision: Verdict; readonly value?: unknown };
  /** A session begun inside this one, within one of its running calls or not. */
  openChild(user: User, within: number | null): SurfaceSession;
  /** Ends the session: its history and facts join the outer one. */
  close(): void;
}

/** Whatever decides by a policy: the plan, a guard, the command line. */
export interface Surface {
  open(policy: AuthoredPolicy, user: User): SurfaceSession;
}

/** Where the two part: at which event of the script (-1: at loading), and what each said. */
export interface Difference {
  readonly event: number;
  readonly reference: unknown;
  readonly surface: unknown;
}

/** What is compared of an answer: violations only as the set of their paths, where the surface tells them. */
function telling(answer: { readonly decision: Verdict; readonly call?: number; readonly value?: unknown }) {
  const { decision, ...rest } = answer;
  return { outcome: decision.outcome, reason: decision.reason, ...rest };
}
const paths = ({ violations }: Verdict) => [...new Set(violations?.map(({ path }) => path))].sort();

/** A case at work on both sides. */
class Run {
  readonly #sessions = new Map<number, { reference: ReferenceSession; surface: SurfaceSession }>();
  /** Call numbers by the script's ids; only calls that run. */
  readonly #running = new Map<number, number>();

  constructor(surface: Surface, { policy, user }: Case) {
    this.#sessions.set(0, {
      reference: new ReferenceSession(policy, user),
      surface: surface.open(policy, user),
    });
  }

  /** The two answers to an event, or nothing where it does not happen or has no answer. */
  step(event: Event): { reference: unknown; surface: unknown } | undefined {
    switch (event.do) {
      case "start":
        return this.#start(event);
      case "end":
        return this.#end(event.call, event.ending);
      case "open": {
        const outer = this.#sessions.get(event.outer);
        const within = this.#number(event.within);
        if (outer === undefined || within === undefined) return undefined;
        const reference = outer.reference.openChild(event.user, within);
        this.#sessions.set(event.id, { reference, surface: outer.surface.openChild(event.user, within) });
        return undefined;
      }
      case "close": {
        const session = this.#sessions.get(event.session);
        session?.reference.close();
        session?.surface.close();
        this.#sessions.delete(event.session);
        return undefined;
      }
    }
  }

  /** The number of a running call; undefined where it does not run. */
  #number(id: number | null): number | null | undefined {
    return id === null ? null : this.#running.get(id);
  }

  #start({ id, session, tool, args, parent }: Extract<Event, { do: "start" }>) {
    const sides = this.#sessions.get(session);
    const inside = this.#number(parent);
    if (sides === undefined || inside === undefined) return undefined;
    const reference = sides.reference.start(tool, args, inside);
    const surface = sides.surface.start(tool, args, inside);
    if (reference.call !== undefined) this.#running.set(id, reference.call);
    const told =
      reference.decision.reason === "input_validation" && surface.decision.violations !== undefined;
    const list = (verdict: Verdict) => (told ? { paths: paths(verdict) } : {});
    return {
      reference: { ...telling(reference), ...list(reference.decision) },
      surface: { ...telling(surface), ...list(surface.decision) },
    };
  }

  #end(id: number, ending: Ending) {
    const call = this.#running.get(id);
    const outermost = this.#sessions.get(0);
    if (call === undefined || outermost === undefined) return undefined;
    this.#running.delete(id);
    const before = JSON.stringify(ending);
    const reference = telling(outermost.reference.end(call, ending));
    const surface = telling(outermost.surface.end(call, ending));
    if (JSON.stringify(ending) === before) return { reference, surface };
    return { reference, surface: { ...surface, mutated: ending } };
  }
}

/** The first event at which a surface answers otherwise than the reference; undefined where it never does. */
export function compare(surface: Surface, given: Case): Difference | undefined {
  let event = -1;
  try {
    const run = new Run(surface, given);
    for (event = 0; event < given.script.length; event++) {
      const next = given.script[event];
      const answers = next === undefined ? undefined : run.step(next);
      if (answers !== undefined && !isDeepStrictEqual(answers.reference, answers.surface))
        return { event, ...answers };
    }
    return undefined;
  } catch (error) {
    return {
      event,
      reference: "an answer",
      surface: error instanceof Error ? `threw: ${error.message}` : error,
    };
  }
}

/** All copies of a JSON value with one list item or one key left out, the larger parts first. */
function* lesser(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (const at of value.keys()) yield value.toSpliced(at, 1);
    for (const [at, item] of value.entries()) for (const less of lesser(item)) yield value.with(at, less);
  } else if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    for (const [key] of entries) yield Object.fromEntries(entries.filter(([other]) => other !== key));
    for (const [key, item] of entries)
      for (const less of lesser(item))
        yield Object.fromEntries(entries.map(([k, v]) => [k, k === key ? less : v]));
  }
}

/** A smaller case on which the surface still differs, not at loading: no event and no part of the policy can go. */
export function shrink(surface: Surface, given: Case): Case {
  const differs = (smaller: Case) => {
    const difference = compare(surface, smaller);
    return difference !== undefined && difference.event >= 0;
  };
  let best = given;
  for (let found = true; found; ) {
    found = false;
    for (const script of best.script.map((_, at) => best.script.toSpliced(at, 1))) {
      if (!differs({ ...best, script })) continue;
      best = { ...best, script };
      found = true;
      break;
    }
    if (found) continue;
    for (const policy of lesser(best.policy)) {
      // Still a policy: only parts were left out, and a surface that cannot load the rest does not count as differing.
      const smaller = { ...best, policy: policy as AuthoredPolicy };
      if (!differs(smaller)) continue;
      best = smaller;
      found = true;
      break;
    }
  }
  return best;
}

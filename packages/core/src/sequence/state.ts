import { MAX_STEPS, type RoleProgram, type SequenceProgram } from "./program.js";

/**
 * The state of the sequence automaton while no call is running: a value, interned by its key, with its transitions
 * worked out when they are first asked for.
 *
 * A *thread* is one way in which a deny pattern has come some steps far: what is kept of a witness is, for each allow
 * pattern that could excuse it, how far that pattern can have come on calls that include the whole witness. Bit `q` of
 * a mask says "its first q steps can". More bits mean more ways to be excused, so of two threads equally far only the
 * one with fewer bits can decide anything, and the other is dropped.
 *
 * INVARIANT: a state never recognises an excuse that the history does not hold.
 */
export interface SequenceState {
  readonly key: string;
  readonly roles: readonly RoleState[];
}

export interface RoleState {
  /** For each allow pattern: bit q when its first q steps occur, in order, among the calls that count. */
  readonly free: readonly number[];
  /** `threads[d][m]`: deny pattern d has come m + 1 steps far. Each thread has one mask an excuse of d. */
  readonly threads: readonly (readonly (readonly Thread[])[])[];
  /** Allow-listed roles: what "begins with exactly the calls that count" needs. */
  readonly exact: ExactPrefix;
}

export type Thread = readonly number[];

/** How many calls count so far, and which allow patterns begin with exactly those; none: the list is past helping. */
export interface ExactPrefix {
  readonly count: number;
  readonly patterns: readonly number[];
}

/** Why a call may not follow what was called before. */
export interface SequenceDenial {
  readonly rule: string;
  readonly reason: string | undefined;
}

/** Most threads kept a rule step; see section 4, "Cost". */
export const MAX_THREADS = 256;

export function initialRole(role: RoleProgram): RoleState {
  return {
    free: role.allow.map(() => 0),
    threads: role.deny.map((pattern) => pattern.steps.slice(1).map(() => [])),
    exact: { count: 0, patterns: role.allowListed ? role.allow.map((_, index) => index) : [] },
  };
}

/** The state after one more call of this class that has ended; `released`: it returned and its value was let out. */
export function afterCall(
  program: SequenceProgram,
  state: RoleState,
  role: RoleProgram,
  toolClass: number,
  released: boolean,
): RoleState {
  const hits = (step: number | undefined) => step !== undefined && program.matches(toolClass, step);
  // The bits that one more step would add, for one allow pattern. A call that was not released adds none.
  const advanced = (mask: number, steps: readonly number[]): number => {
    if (!released) return 0;
    let next = 0;
    for (let q = 0; q < steps.length - 1; q += 1) {
      if ((mask & (1 << q)) !== 0 && hits(steps[q])) next |= 1 << (q + 1);
    }
    return next;
  };
  const allowSteps = (index: number): readonly number[] => role.allow[index]?.steps ?? [];
  const free = state.free.map((mask, index) => mask | (advanced(mask | 1, allowSteps(index)) & ~1));
  const threads = role.deny.map((pattern, d) => {
    const levels = state.threads[d] ?? [];
    const next: Thread[][] = levels.map(() => []);
    levels.forEach((level, m) => {
      for (const thread of level) {
        const moved = pattern.excuses.map((a, k) => advanced(thread[k] ?? 0, allowSteps(a)));
        next[m]?.push(thread.map((mask, k) => mask | (moved[k] ?? 0)));
        if (hits(pattern.steps[m + 1])) next[m + 1]?.push(moved);
      }
    });
    if (hits(pattern.steps[0])) {
      next[0]?.push(pattern.excuses.map((a) => advanced((state.free[a] ?? 0) | 1, allowSteps(a))));
    }
    return next.map(minimalThreads);
  });
  return { free, threads, exact: released ? advanceExact(state.exact, role, hits) : state.exact };
}

function advanceExact(
  exact: ExactPrefix,
  role: RoleProgram,
  hits: (step: number | undefined) => boolean,
): ExactPrefix {
  const patterns = exact.patterns.filter((index) => {
    const steps = role.allow[index]?.steps ?? [];
    return exact.count < steps.length - 1 && hits(steps[exact.count]);
  });
  return patterns.length === 0 ? { count: MAX_STEPS, patterns } : { count: exact.count + 1, patterns };
}

/** Whether `next` may follow; the first rule in document order that says no, else nothing. */
export function denialOf(
  program: SequenceProgram,
  state: SequenceState,
  toolClass: number,
): SequenceDenial | undefined {
  const hits = (step: number | undefined) => step !== undefined && program.matches(toolClass, step);
  let listed: RoleProgram | undefined;
  let permitted = false;
  for (const [index, role] of program.roles.entries()) {
    const own = state.roles[index];
    if (own === undefined) continue;
    for (const [d, pattern] of role.deny.entries()) {
      if (!hits(pattern.steps.at(-1))) continue;
      const witnesses = own.threads[d]?.[pattern.steps.length - 2] ?? [];
      const ends = pattern.excuses.map((a) => {
        const steps = role.allow[a]?.steps ?? [];
        return hits(steps.at(-1)) ? 1 << (steps.length - 1) : 0;
      });
      const excused = (thread: Thread) => ends.some((bit, k) => ((thread[k] ?? 0) & bit) !== 0);
      if (!witnesses.every(excused)) return { rule: pattern.rule, reason: pattern.reason };
    }
    if (role.allowListed) {
      listed ??= role;
      permitted ||= role.allow.some((pattern, a) => {
        const n = pattern.steps.length;
        if (!hits(pattern.steps[n - 1])) return false;
        return n === 1 || ((own.free[a] ?? 0) & (1 << (n - 1))) !== 0;
      });
      permitted ||= own.exact.patterns.some((a) => hits(role.allow[a]?.steps[own.exact.count]));
    }
  }
  return listed === undefined || permitted ? undefined : { rule: listed.rule, reason: undefined };
}

/** Drops threads that another makes needless, sorts the rest, and holds their number down by giving up excuses. */
export function minimalThreads(threads: readonly Thread[]): readonly Thread[] {
  if (threads.length < 2) return threads;
  const distinct = new Map(threads.map((thread) => [thread.join(), thread]));
  const sorted = [...distinct.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, thread]) => thread);
  const minimal = sorted.filter(
    (thread) => !sorted.some((other) => other !== thread && within(other, thread)),
  );
  if (minimal.length <= MAX_THREADS) return minimal;
  const rest = minimal.slice(MAX_THREADS - 1);
  const shared = rest.reduce((one, other) => one.map((mask, k) => mask & (other[k] ?? 0)));
  return minimalThreads([...minimal.slice(0, MAX_THREADS - 1), shared]);
}

function within(one: Thread, other: Thread): boolean {
  return one.every((mask, k) => (mask & ~(other[k] ?? 0)) === 0);
}

export function keyOf(roles: readonly RoleState[]): string {
  return roles
    .map(({ free, threads, exact }) => {
      // Brackets around each thread: one that nothing excuses has no masks, and is still there.
      const spell = (level: readonly Thread[]) => level.map((thread) => `[${thread.join()}]`).join("");
      const levels = threads.map((pattern) => pattern.map(spell).join("/")).join("&");
      return `${free.join()}|${levels}|${exact.count}:${exact.patterns.join()}`;
    })
    .join("#");
}

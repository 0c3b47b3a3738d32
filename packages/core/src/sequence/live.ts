import { MAX_STEPS, type Pattern, type RoleProgram, type SequenceProgram } from "./program.js";
import { MAX_THREADS, minimalThreads, type RoleState, type SequenceDenial } from "./state.js";

/**
 * The sequence rules while calls are running: nested, side by side, or in a session within. Here it matters which
 * calls an excuse leans on, so what a mask says in a settled state is spelt out as facts.
 *
 * A *fact* says "the first q steps of this allow pattern occur on calls that include the thread's witness"; it names
 * the last of those calls, which the next one must follow or be enclosed by, and the calls among them that still
 * run, which must end well (or enclose the call being judged) before the fact counts.
 */
interface Fact {
  readonly allow: number;
  readonly q: number;
  /** 0 when it ended before anything that can still begin. */
  readonly last: number;
  /** Calls not yet released, ascending. */
  readonly open: readonly number[];
}

type LiveThread = readonly Fact[];

interface LiveRole {
  free: LiveThread;
  /** `threads[d][m]`, as in the settled state. */
  threads: LiveThread[][][];
  /** Allow-listed roles: the calls not failed, in order; undefined once too many count for any pattern. */
  listed: ListedCall[] | undefined;
  /** What counted before the first of `listed`. */
  readonly before: RoleState["exact"];
}

interface ListedCall {
  readonly id: number;
  readonly toolClass: number;
  readonly began: number;
  readonly within: ReadonlySet<number>;
  /** When it was released; undefined while it runs. */
  ended: number | undefined;
}

/** Most facts kept a thread; beyond it some excuses go unrecognised. */
const MAX_FACTS = 256;

/** Ended calls that are remembered by name before those that no fact names are let go. */
const MAX_ENDED = 1024;

export class LiveSequence {
  readonly #program: SequenceProgram;
  readonly #roles: LiveRole[];
  /** Calls that run, and released ones that a call begun earlier (in a session that joins later) may still follow. */
  readonly #enclosing = new Map<number, number>();
  readonly #running = new Set<number>();
  readonly #ended = new Map<number, number>();

  constructor(program: SequenceProgram, settled: readonly RoleState[]) {
    this.#program = program;
    this.#roles = settled.map((state, index) => thaw(state, program.roles[index]));
  }

  get running(): number {
    return this.#running.size;
  }

  /** A call has begun at `time`, from inside the running call `enclosing` (0: none). */
  begin(id: number, toolClass: number, enclosing: number, time: number): void {
    const within = this.#ancestors(enclosing);
    this.#enclosing.set(id, enclosing);
    this.#running.add(id);
    const follows = (fact: Fact): boolean => {
      if (fact.last === 0 || within.has(fact.last)) return true;
      const ended = this.#ended.get(fact.last);
      return ended !== undefined && ended < time;
    };
    this.#program.roles.forEach((role, index) => {
      const own = this.#roles[index];
      if (own === undefined) return;
      const advance = (facts: LiveThread, allow: number): Fact[] =>
        this.#advance(facts, allow, role, toolClass, id, follows);
      const fresh: LiveThread = role.allow.map((_, allow) => ({ allow, q: 0, last: 0, open: [] }));
      const origin = [...fresh, ...own.free];
      own.threads = role.deny.map((pattern, d) =>
        this.#forward(own.threads[d] ?? [], pattern, toolClass, origin, (facts) =>
          pattern.excuses.flatMap((allow) => advance(facts, allow)),
        ),
      );
      own.free = bounded([...own.free, ...role.allow.flatMap((_, allow) => advance(origin, allow))]);
      own.listed?.push({ id, toolClass, began: time, within, ended: undefined });
    });
  }

  /** The call has ended. `remember`: a session within is open, whose calls may have begun before this end. */
  end(id: number, released: boolean, time: number, remember: boolean): void {
    this.#running.delete(id);
    if (released && remember) this.#ended.set(id, time);
    const settle = (fact: Fact): readonly Fact[] => {
      if (!fact.open.includes(id)) return [fact];
      if (!released) return [];
      const last = fact.last === id && !remember ? 0 : fact.last;
      return [{ ...fact, last, open: fact.open.filter((call) => call !== id) }];
    };
    for (const own of this.#roles) {
      own.free = bounded(own.free.flatMap(settle));
      own.threads = own.threads.map((levels) =>
        levels.map((level) => boundedThreads(level.map((thread) => bounded(thread.flatMap(settle))))),
      );
      if (own.listed !== undefined) own.listed = afterEnd(own.listed, id, released ? time : undefined);
    }
    if (!remember) this.#forget(id);
    if (this.#ended.size > MAX_ENDED) this.#forgetUnnamed();
  }

  /** Whether a call of this class, made from inside `enclosing`, may begin now. */
  denialOf(toolClass: number, enclosing: number): SequenceDenial | undefined {
    const within = this.#ancestors(enclosing);
    const hits = (step: number | undefined) => step !== undefined && this.#program.matches(toolClass, step);
    const counts = (fact: Fact): boolean =>
      fact.open.every((call) => within.has(call)) &&
      (fact.last === 0 || within.has(fact.last) || !this.#running.has(fact.last));
    const completes = (facts: LiveThread, allow: number, pattern: Pattern): boolean =>
      hits(pattern.steps.at(-1)) &&
      facts.some((fact) => fact.allow === allow && fact.q === pattern.steps.length - 1 && counts(fact));
    let listed: RoleProgram | undefined;
    let permitted = false;
    for (const [index, role] of this.#program.roles.entries()) {
      const own = this.#roles[index];
      if (own === undefined) continue;
      for (const [d, pattern] of role.deny.entries()) {
        if (!hits(pattern.steps.at(-1))) continue;
        const witnesses = own.threads[d]?.[pattern.steps.length - 2] ?? [];
        const excused = (thread: LiveThread) =>
          pattern.excuses.some((allow) => {
            const excuse = role.allow[allow];
            return excuse !== undefined && completes(thread, allow, excuse);
          });
        if (!witnesses.every(excused)) return { rule: pattern.rule, reason: pattern.reason };
      }
      if (role.allowListed) {
        listed ??= role;
        permitted ||= role.allow.some((pattern, allow) =>
          pattern.steps.length === 1 ? hits(pattern.steps[0]) : completes(own.free, allow, pattern),
        );
        permitted ||= this.#beginsExactly(own, role, hits, within);
      }
    }
    return listed === undefined || permitted ? undefined : { rule: listed.rule, reason: undefined };
  }

  /** The settled state, once nothing runs and nothing can join that began earlier. */
  settled(): RoleState[] {
    return this.#roles.map((own, index) => freeze(own, this.#program, this.#program.roles[index]));
  }

  #forward(
    levels: readonly (readonly LiveThread[])[],
    pattern: Pattern,
    toolClass: number,
    origin: LiveThread,
    advance: (facts: LiveThread) => Fact[],
  ): LiveThread[][] {
    const next: LiveThread[][] = pattern.steps.slice(1).map(() => []);
    const hits = (step: number | undefined) => step !== undefined && this.#program.matches(toolClass, step);
    levels.forEach((level, m) => {
      for (const thread of level) {
        const moved = advance(thread);
        next[m]?.push(moved.length === 0 ? thread : bounded([...thread, ...moved]));
        if (hits(pattern.steps[m + 1])) next[m + 1]?.push(bounded(moved));
      }
    });
    if (hits(pattern.steps[0])) next[0]?.push(bounded(advance(origin)));
    return next.map(boundedThreads);
  }

  #advance(
    facts: LiveThread,
    allow: number,
    role: RoleProgram,
    toolClass: number,
    id: number,
    follows: (fact: Fact) => boolean,
  ): Fact[] {
    const steps = role.allow[allow]?.steps ?? [];
    const moved: Fact[] = [];
    for (const fact of facts) {
      const step = steps[fact.q];
      if (fact.allow !== allow || fact.q >= steps.length - 1 || step === undefined) continue;
      if (!this.#program.matches(toolClass, step) || !follows(fact)) continue;
      moved.push({ allow, q: fact.q + 1, last: id, open: [...fact.open, id].sort((a, b) => a - b) });
    }
    return moved;
  }

  #beginsExactly(
    own: LiveRole,
    role: RoleProgram,
    hits: (step: number | undefined) => boolean,
    within: ReadonlySet<number>,
  ): boolean {
    if (own.listed === undefined) return false;
    const calls = own.listed.filter((call) => call.ended !== undefined || within.has(call.id));
    const count = own.before.count + calls.length;
    if (count >= MAX_STEPS || !inARow(calls)) return false;
    return own.before.patterns.some((allow) => {
      const steps = role.allow[allow]?.steps ?? [];
      return hits(steps[count]) && this.#spell(calls, steps, own.before.count);
    });
  }

  #spell(calls: readonly ListedCall[], steps: readonly number[], from: number): boolean {
    return calls.every((call, k) => {
      const step = steps[from + k];
      return step !== undefined && this.#program.matches(call.toolClass, step);
    });
  }

  #ancestors(enclosing: number): Set<number> {
    const within = new Set<number>();
    for (let id = enclosing; id !== 0 && !within.has(id); id = this.#enclosing.get(id) ?? 0) within.add(id);
    return within;
  }

  /** Lets go of an ended call; what it still encloses is enclosed by what enclosed it. */
  #forget(id: number): void {
    const outer = this.#enclosing.get(id) ?? 0;
    this.#enclosing.delete(id);
    for (const [inner, enclosing] of this.#enclosing) if (enclosing === id) this.#enclosing.set(inner, outer);
  }

  #forgetUnnamed(): void {
    const named = new Set<number>();
    for (const own of this.#roles) {
      for (const fact of own.free) named.add(fact.last);
      for (const level of own.threads.flat()) for (const fact of level.flat()) named.add(fact.last);
    }
    for (const id of [...this.#ended.keys()]) {
      if (named.has(id)) continue;
      this.#ended.delete(id);
      this.#forget(id);
    }
  }
}

function thaw(state: RoleState, role: RoleProgram | undefined): LiveRole {
  const facts = (mask: number, allow: number): Fact[] => {
    const found: Fact[] = [];
    for (let q = 1; q < MAX_STEPS; q += 1) {
      if ((mask & (1 << q)) !== 0) found.push({ allow, q, last: 0, open: [] });
    }
    return found;
  };
  return {
    free: state.free.flatMap(facts),
    threads: state.threads.map((levels, d) =>
      levels.map((level) =>
        level.map((thread) => thread.flatMap((mask, k) => facts(mask, role?.deny[d]?.excuses[k] ?? -1))),
      ),
    ),
    listed: state.exact.patterns.length === 0 ? undefined : [],
    before: state.exact,
  };
}

function freeze(own: LiveRole, program: SequenceProgram, role: RoleProgram | undefined): RoleState {
  const mask = (facts: LiveThread, allow: number): number =>
    facts.reduce(
      (bits, fact) => (fact.allow === allow && fact.open.length === 0 ? bits | (1 << fact.q) : bits),
      0,
    );
  const free = (role?.allow ?? []).map((_, allow) => mask(own.free, allow));
  const threads = own.threads.map((levels, d) =>
    levels.map((level) =>
      minimalThreads(
        level.map((thread) => (role?.deny[d]?.excuses ?? []).map((allow) => mask(thread, allow))),
      ),
    ),
  );
  return { free, threads, exact: frozenPrefix(own, program, role) };
}

function frozenPrefix(
  own: LiveRole,
  program: SequenceProgram,
  role: RoleProgram | undefined,
): RoleState["exact"] {
  const past = { count: MAX_STEPS, patterns: [] };
  const calls = own.listed;
  if (calls === undefined) return past;
  const count = own.before.count + calls.length;
  if (!inARow(calls)) return past;
  const patterns = own.before.patterns.filter((allow) => {
    const steps = role?.allow[allow]?.steps ?? [];
    return (
      count < steps.length &&
      calls.every((call, k) => program.matches(call.toolClass, steps[own.before.count + k] ?? -1))
    );
  });
  return patterns.length === 0 ? past : { count, patterns };
}

/** Whether each call follows the one before it: begun after its release, or from inside it. */
function inARow(calls: readonly ListedCall[]): boolean {
  return calls.every((call, k) => {
    const before = calls[k - 1];
    if (before === undefined) return true;
    return call.within.has(before.id) || (before.ended !== undefined && before.ended < call.began);
  });
}

function afterEnd(
  calls: readonly ListedCall[],
  id: number,
  released: number | undefined,
): ListedCall[] | undefined {
  if (released === undefined) return calls.filter((call) => call.id !== id);
  for (const call of calls) if (call.id === id) call.ended = released;
  const counted = calls.filter((call) => call.ended !== undefined).length;
  return counted >= MAX_STEPS ? undefined : [...calls];
}

function keyOfFact(fact: Fact): string {
  return `${fact.allow}.${fact.q}.${fact.last}.${fact.open.join("+")}`;
}

/** Each fact once, those that lean on fewer open calls first, in an order that does not depend on how they were found. */
function bounded(facts: LiveThread): LiveThread {
  if (facts.length < 2) return facts;
  const distinct = new Map(facts.map((fact) => [keyOfFact(fact), fact]));
  const sorted = [...distinct.entries()].sort(
    ([a, one], [b, other]) => one.open.length - other.open.length || (a < b ? -1 : 1),
  );
  return sorted.slice(0, MAX_FACTS).map(([, fact]) => fact);
}

/** Each thread once; past the limit the rest become one thread that nothing excuses. */
function boundedThreads(threads: readonly LiveThread[]): LiveThread[] {
  if (threads.length < 2) return [...threads];
  const distinct = [...new Map(threads.map((thread) => [thread.map(keyOfFact).join(), thread])).values()];
  return distinct.length <= MAX_THREADS ? distinct : [...distinct.slice(0, MAX_THREADS - 1), []];
}

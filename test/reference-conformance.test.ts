import { describe, expect, it } from "vitest";
import {
  type CallStep,
  type Expectation,
  guardVectorFiles,
  loadGuardVectors,
  namedArguments,
  type Step,
  type Vector,
} from "./conformance/expand.js";
import type { Ending, Verdict } from "./reference/authored.js";
import { ReferenceSession } from "./reference/evaluator.js";

/** What passes out of a call: the refusal of a guarded call, or the tool's own error. */
type Out = { readonly refusal: Verdict } | { readonly error: unknown };

/**
 * Runs a vector on the reference evaluator with a clock of its own: a step of the script is a generator that yields
 * how many milliseconds it waits, and whoever is due first goes on first.
 */
class Script {
  #now = 0;
  readonly #vector: Vector;
  readonly #policy: Exclude<Vector["policy"], string>;
  #session: ReferenceSession;

  constructor(vector: Vector) {
    if (typeof vector.policy === "string") throw new Error("the reference reads no text");
    this.#vector = vector;
    this.#policy = vector.policy;
    this.#session = this.#begin(vector.user);
  }

  #begin(user: Vector["user"]): ReferenceSession {
    const expires = Date.parse(this.#policy.metadata?.expires ?? "9999-01-01T00:00:00Z");
    return new ReferenceSession(this.#policy, user, () => (this.#now >= expires ? "expired" : "current"));
  }

  run(): void {
    for (const step of this.#vector.steps) this.#together([this.#step(step)]);
  }

  #together(tasks: readonly Generator<number, unknown>[]): void {
    const waiting = tasks.map((task) => ({ task, due: this.#now }));
    while (waiting.length > 0) {
      waiting.sort((a, b) => a.due - b.due);
      const first = waiting.shift();
      if (first === undefined) return;
      this.#now = Math.max(this.#now, first.due);
      const { done, value } = first.task.next();
      if (done !== true) waiting.push({ task: first.task, due: this.#now + Number(value) });
    }
  }

  *#step(step: Step): Generator<number, void> {
    if ("parallel" in step) {
      this.#together(step.parallel.map((each) => this.#call(each, this.#session, null)));
    } else if ("run_as" in step) {
      const inner = this.#session.openChild(step.run_as);
      for (const each of step.run_as.steps) yield* this.#call(each, inner, null);
      inner.close();
    } else {
      if (step.new_context !== undefined) this.#session = this.#begin(step.new_context);
      if (step.clear_context) this.#session = this.#begin(null);
      yield* this.#call(step, this.#session, null);
    }
  }

  *#call(
    step: CallStep,
    session: ReferenceSession,
    parent: number | null,
  ): Generator<number, Out | undefined> {
    if (step.sleep_ms !== undefined) yield step.sleep_ms;
    const { args, ...naming } = namedArguments(step);
    const started = session.start(step.tool, args, parent, naming);
    if (started.call === undefined) return this.#refused(step, started.decision, false);

    for (const inner of step.body ?? []) {
      const out = yield* this.#call(inner, session, started.call);
      if (out === undefined || inner.caught) continue;
      if ("error" in out) return this.#ended(step, session, started.call, { threw: out.error });
      session.end(started.call, { threw: out.refusal, refusal: true });
      this.#expectDenied(step.expect, out.refusal, true);
      return out;
    }
    yield step.delay_ms ?? 0;
    if (step.throws === undefined)
      return this.#ended(step, session, started.call, { returned: step.returns });
    const fields = typeof step.throws === "string" ? { message: step.throws } : step.throws;
    return this.#ended(step, session, started.call, { threw: { name: "Error", ...fields } });
  }

  #ended(step: CallStep, session: ReferenceSession, call: number, ending: Ending): Out | undefined {
    const { decision, value } = session.end(call, ending);
    if (decision.outcome === "deny") return this.#refused(step, decision, true);
    expect(step.expect).toMatchObject({ outcome: "threw" in ending ? "error" : "allow", ran: true });
    if ("threw" in ending) return { error: ending.threw };
    expect(value).toEqual(step.expect.value);
    return undefined;
  }

  #refused(step: CallStep, refusal: Verdict, ran: boolean): Out | undefined {
    if ("on_deny" in step) {
      expect(step.expect).toMatchObject({ outcome: "allow", value: step.on_deny, ran });
      return undefined;
    }
    this.#expectDenied(step.expect, refusal, ran);
    return { refusal };
  }

  #expectDenied(expected: Expectation, verdict: Verdict, ran: boolean): void {
    const names: Readonly<Record<string, string>> = {
      missing_policy: "missing_policy",
      no_context: "no_context",
      policy_expired: "expired",
    };
    expect(expected).toMatchObject({ outcome: names[verdict.reason] ?? "deny", ran });
    if (expected.reason_prefix !== undefined) expect(verdict.reason).toMatch(expected.reason_prefix);
    if (expected.violations === undefined) return;
    const told = (verdict.violations ?? []).map(({ path, operator }) => `${path} ${operator}`);
    const wanted = expected.violations.map(({ path, operator }) => `${path} ${operator}`);
    expect([...new Set(told)].sort()).toEqual([...new Set(wanted)].sort());
  }
}

describe("the reference evaluator agrees with the vectors", () => {
  for (const file of guardVectorFiles()) {
    const vectors = loadGuardVectors(0, file).filter((vector) => vector.expect === undefined);
    if (vectors.length === 0) continue;
    describe(file, () => {
      for (const vector of vectors) it(vector.id, () => new Script(vector).run());
    });
  }
});

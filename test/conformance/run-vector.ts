import { expect } from "vitest";
import type { CallStep, Expectation, Step, Vector } from "./expand.js";
import type { Answer, LoadedSurface, Surface } from "./surface.js";

/** Whether a vector needs calls that overlap or take time. */
export function needsTime(steps: readonly Step[]): boolean {
  return steps.some((step) => {
    if ("parallel" in step) return true;
    if ("run_as" in step) return needsTime(step.run_as.steps);
    return step.delay_ms !== undefined || needsTime(step.body ?? []);
  });
}

/** Runs one vector on one surface and asserts everything it says. */
export async function runVector(surface: Surface, vector: Vector): Promise<void> {
  if (vector.expect !== undefined) {
    const failure = await surface.load(vector.policy, vector.limits).then(
      (loaded) => loaded.close().then(() => null),
      (error: unknown) => error,
    );
    expect(failure === null ? null : nameOf(failure)).toBe(vector.expect.load_error);
    return;
  }
  const loaded = await surface.load(vector.policy, vector.limits);
  try {
    for (const segment of segments(vector)) {
      await loaded.request(segment.user, async (context) => {
        for (const step of segment.steps) await runStep(surface, loaded, step, context);
      });
    }
  } finally {
    await loaded.close();
  }
}

/** A vector's steps cut where a new request begins. */
function segments(vector: Vector): { user: Vector["user"]; steps: Step[] }[] {
  const cut: { user: Vector["user"]; steps: Step[] }[] = [{ user: vector.user, steps: [] }];
  for (const step of vector.steps) {
    if ("new_context" in step && step.new_context !== undefined)
      cut.push({ user: step.new_context, steps: [] });
    cut.at(-1)?.steps.push(step);
  }
  return cut;
}

async function runStep(surface: Surface, loaded: LoadedSurface, step: Step, context: unknown): Promise<void> {
  if ("parallel" in step) {
    const started = step.parallel.map((inner) => begin(surface, loaded, inner, context));
    for (const call of started) await call;
    return;
  }
  if ("run_as" in step) {
    const { id, roles, steps } = step.run_as;
    await loaded.runAs({ id, roles }, context, async (inside) => {
      for (const inner of steps) await runStep(surface, loaded, inner, inside);
    });
    return;
  }
  if (step.clear_context === true) loaded.clear(context);
  if (step.sleep_ms !== undefined) await new Promise((resolve) => setTimeout(resolve, step.sleep_ms));
  await begin(surface, loaded, step, context);
}

/** Starts a call at once and checks its answer when it is there. */
function begin(surface: Surface, loaded: LoadedSurface, step: CallStep, context: unknown): Promise<void> {
  const seen = { ran: false };
  const answer = attempt(() =>
    loaded.call({ step, args: argumentsOf(step), body: bodyOf(surface, loaded, step, seen) }, context),
  );
  return answer.then((it) => verify(step, it, seen.ran));
}

function attempt(call: () => unknown): Promise<Answer> {
  try {
    return Promise.resolve(call()).then(
      (value) => ({ value }),
      (thrown: unknown) => ({ thrown }),
    );
  } catch (thrown) {
    return Promise.resolve({ thrown });
  }
}

function bodyOf(
  surface: Surface,
  loaded: LoadedSurface,
  step: CallStep,
  seen: { ran: boolean },
): (context: unknown) => unknown {
  const outcome = (): unknown => {
    if (step.throws === undefined) return step.returns;
    throw typeof step.throws === "string" ? new Error(step.throws) : Object.assign(new Error(), step.throws);
  };
  if (!surface.asynchronous) {
    return (context) => {
      seen.ran = true;
      for (const inner of step.body ?? []) beginNow(surface, loaded, inner, context);
      return outcome();
    };
  }
  return async (context) => {
    seen.ran = true;
    if (step.delay_ms !== undefined) await new Promise((resolve) => setTimeout(resolve, step.delay_ms));
    for (const inner of step.body ?? []) {
      const ran = { ran: false };
      const call = attempt(() =>
        loaded.call(
          { step: inner, args: argumentsOf(inner), body: bodyOf(surface, loaded, inner, ran) },
          context,
        ),
      );
      const answer = await call;
      verify(inner, answer, ran.ran);
      if ("thrown" in answer && inner.caught !== true) throw answer.thrown;
    }
    return outcome();
  };
}

function beginNow(surface: Surface, loaded: LoadedSurface, inner: CallStep, context: unknown): void {
  const ran = { ran: false };
  let answer: Answer;
  try {
    answer = {
      value: loaded.call(
        { step: inner, args: argumentsOf(inner), body: bodyOf(surface, loaded, inner, ran) },
        context,
      ),
    };
  } catch (thrown) {
    answer = { thrown };
  }
  verify(inner, answer, ran.ran);
  if ("thrown" in answer && inner.caught !== true) throw answer.thrown;
}

/** What the function is called with: by position where the vector names parameters, else one object. */
function argumentsOf(step: CallStep): readonly unknown[] {
  if (step.positional !== undefined) return step.positional;
  if (step.params === undefined || step.rest === true) return [step.args];
  return step.params.map((name) => step.args[name]);
}

function verify(step: CallStep, answer: Answer, ran: boolean): void {
  const { expect: expected } = step;
  expect(summary(step, answer), step.tool).toEqual(expectedSummary(expected));
  if (expected.ran !== undefined) expect(ran, `${step.tool}: ran`).toBe(expected.ran);
  if ("value" in expected && "value" in answer) expect(answer.value).toEqual(expected.value);
  if (expected.violations !== undefined && "thrown" in answer) checkViolations(expected, answer.thrown);
  if (expected.hidden !== undefined && "thrown" in answer) {
    const { message, violations } = answer.thrown as { message: string; violations: unknown };
    expect(message + JSON.stringify(violations)).not.toContain(expected.hidden);
  }
}

function checkViolations(expected: Expectation, thrown: unknown): void {
  const found = (thrown as { violations: { path: string; operator: string }[] }).violations;
  const key = (it: { path: string; operator: string }) => `${it.path} ${it.operator}`;
  expect([...new Set(found.map(key))].sort()).toEqual((expected.violations ?? []).map(key).sort());
}

function summary(step: CallStep, answer: Answer): string {
  if ("value" in answer) return "allow";
  const { thrown } = answer;
  const name = nameOf(thrown);
  const reason: unknown =
    typeof thrown === "object" && thrown !== null ? Reflect.get(thrown, "reason") : undefined;
  if (name === "NoContextError") return "no_context";
  if (name === "BundleExpiredError") return "expired";
  if (name === "MissingPolicyError") return "missing_policy";
  if (typeof reason === "string") return `deny ${reason}`;
  return step.throws === undefined ? `unexpected ${name}: ${String(thrown)}` : "error";
}

function expectedSummary(expected: Expectation): string {
  return expected.outcome === "deny" ? `deny ${expected.reason_prefix}` : expected.outcome;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error;
}

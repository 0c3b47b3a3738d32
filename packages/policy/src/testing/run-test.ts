import {
  type CallVerdict,
  type Decision,
  decideCall,
  decideRelease,
  type Plan,
  type PolicyState,
  type Release,
  Session,
} from "d2-core";
import type { Locate } from "../locate.js";
import { compareExpectation } from "./compare-expectation.js";
import type { PolicyTest, TestCall } from "./policy-tests.js";
import type { ActualDecision, TestResult } from "./test-run.js";

/** Is told of everything that is decided, before the session takes it in. */
export interface Witness {
  called(test: PolicyTest, call: TestCall, verdict: CallVerdict, session: Session): void;
  released(verdict: CallVerdict, value: unknown, release: Release): void;
}

export interface TestSetting {
  readonly plan: Plan;
  readonly file: string | undefined;
  readonly witness: Witness;
  readonly locate: Locate | undefined;
  /** The policy's file, for messages. */
  readonly policyFile: string | undefined;
  /** Whether values are shown where they differ. */
  readonly values: boolean;
}

/** Makes the calls of a test, one after the other, as the guard would, and stops at the first that is not as expected. */
export function runTest(test: PolicyTest, setting: TestSetting): TestResult {
  const { file, values } = setting;
  const session = new Session();
  session.addFacts(test.facts);
  const { name, line, column } = test;
  let last: Pick<TestResult, "call" | "expected" | "actual"> | undefined;
  for (const call of test.calls) {
    if (call.assume) {
      enter(session, call.tool, setting.plan.labelsOf(call.tool), !call.fails);
      continue;
    }
    const { verdict, release } = make(call, test, session, setting);
    const decision = release?.decision ?? verdict.decision;
    const actual = actualOf(decision, setting.locate);
    const { expect } = call;
    const expected = expect && withoutValues(expect);
    last = { call: { tool: call.tool, line: call.line, column: call.column }, expected, actual };
    const result = { name, file, line, column, ...last };
    if (expect === undefined) {
      if (decision.outcome === "allow") continue;
      const differences = [impossible(call, actual, release !== undefined, setting.policyFile)];
      return { ...result, status: "error", differences };
    }
    const found = compareExpectation(expect, actual, release, values);
    if (found.length === 0) continue;
    const differences = found.map((words) => `${call.part === "step" ? `${placeOf(call)}, ` : ""}${words}`);
    return { ...result, status: "failed", differences };
  }
  // INVARIANT: a test that has been read has a call that it is about.
  if (last === undefined) throw new Error("a test without calls");
  return { name, file, line, column, status: "passed", ...last, differences: [] };
}

function make(
  call: TestCall,
  test: PolicyTest,
  session: Session,
  { plan, witness }: TestSetting,
): { readonly verdict: CallVerdict; readonly release: Release | undefined } {
  const { tool, names, args, returns } = call;
  const view = test.user && plan.view(test.user.roles);
  const state = stateAt(plan.expiresAt, test.now);
  const asked = view === undefined ? undefined : { tool, session, enclosing: 0, names, args };
  const verdict = decideCall(state, view, asked);
  witness.called(test, call, verdict, session);
  if (verdict.decision.outcome === "deny") return { verdict, release: undefined };
  const release = returns && decideRelease(verdict.entry?.output, returns.value);
  if (returns !== undefined && release !== undefined) witness.released(verdict, returns.value, release);
  const released = !call.fails && release?.decision.outcome !== "deny";
  enter(session, tool, verdict.entry?.labels ?? [], released);
  return { verdict, release };
}

function enter(session: Session, tool: string, labels: readonly string[], released: boolean): void {
  const id = session.begin(tool, 0);
  session.addFacts(labels);
  session.end(id, released);
}

function stateAt(expiresAt: number | undefined, now: number | undefined): PolicyState {
  return expiresAt !== undefined && now !== undefined && now >= expiresAt ? "expired" : "current";
}

function actualOf(decision: Decision, locate: Locate | undefined): ActualDecision {
  const { outcome, reason, layer, rule, detail, violations } = decision;
  const place = rule === undefined ? undefined : locate?.(rule);
  return {
    decision: outcome,
    reason,
    layer,
    ...(rule === undefined ? {} : { rule }),
    ...(place === undefined ? {} : { line: place.line, column: place.column }),
    ...(detail === undefined ? {} : { detail }),
    violations: [...new Set(violations.map(({ path }) => path))],
  };
}

function withoutValues(expectation: NonNullable<TestCall["expect"]>): NonNullable<TestResult["expected"]> {
  const { value, valueIncludes, ...rest } = expectation;
  return rest;
}

/** `call 2 of the history`. */
function placeOf({ part, number, tool }: TestCall): string {
  switch (part) {
    case "history":
      return `call ${number} of the history, \`${tool}\``;
    case "step":
      return `step ${number}, \`${tool}\``;
    case "call":
      return `the call, \`${tool}\``;
  }
}

function impossible(
  call: TestCall,
  actual: ActualDecision,
  returned: boolean,
  policyFile: string | undefined,
): string {
  const what = returned ? `what ${placeOf(call)}, returns is refused` : `${placeOf(call)}, is denied`;
  const by = decidedBy(actual, policyFile);
  const mend =
    call.part === "step"
      ? "give the step an `expect`"
      : returned
        ? "write `fails: true` if that is meant"
        : "mend it, or write `assume: true` to take it for given";
  const opening = call.part === "step" ? "the test cannot go on" : "the history is not possible";
  return `${opening}: ${what} (${actual.reason}${by === "" ? "" : `, ${by}`}): ${mend}`;
}

/** `policies[0].sequence[1] at policy.yaml:12:7`; empty when no rule has decided. */
export function decidedBy({ rule, line, column }: ActualDecision, policyFile: string | undefined): string {
  if (rule === undefined) return "";
  const place = [policyFile, line, column].filter((part) => part !== undefined).join(":");
  return `by \`${rule}\`${line === undefined ? "" : ` at ${place}`}`;
}

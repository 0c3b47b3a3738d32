import { compilePlan } from "d2-core";
import type { LoadedPolicy } from "../load-policy.js";
import type { Locate } from "../locate.js";
import { CoverageTally } from "./coverage-tally.js";
import type { PolicyTests } from "./policy-tests.js";
import { runTest } from "./run-test.js";
import { notesOn } from "./test-notes.js";
import type { TestCounts, TestNote, TestResult, TestRun } from "./test-run.js";

export interface RunTestsOptions {
  /** Only tests whose name holds this text, case aside. */
  readonly filter?: string | undefined;
  /** Gives the places of rules in the policy's text. */
  readonly locate?: Locate | undefined;
  /** The policy's file, as it is to be shown. */
  readonly policyFile?: string | undefined;
  /** Whether released values are shown where they differ. Default false: their paths alone. */
  readonly values?: boolean | undefined;
}

/**
 * Runs tests against a policy. Each test is a session of its own, whose calls are decided as the guard decides them;
 * nothing is called. The same policy and tests give the same run.
 *
 * @param tests of one file, or of several, which then count together, their coverage too
 */
export function runPolicyTests(
  policy: LoadedPolicy,
  tests: PolicyTests | readonly PolicyTests[],
  options: RunTestsOptions = {},
): TestRun {
  const { document, expiresAt, name, version } = policy;
  const { locate, policyFile, values = false } = options;
  const plan = compilePlan(document, { expiresAt });
  const witness = new CoverageTally(document);
  const wanted = options.filter?.toLowerCase() ?? "";
  const notes: TestNote[] = [];
  const files = isList(tests) ? tests : [tests];
  const suites = files.map(({ file, tests: all }) => {
    const chosen = all.filter((test) => test.name.toLowerCase().includes(wanted));
    const setting = { plan, file, witness, locate, policyFile, values };
    const cases = chosen.map((test) => runTest(test, setting));
    notes.push(...notesOn(chosen, cases, plan.roleNames));
    return { file, cases, counts: countsOf(cases, all.length - chosen.length) };
  });
  return {
    policy: { name, version, file: policyFile },
    suites,
    counts: countsOf(
      suites.flatMap(({ cases }) => cases),
      suites.reduce((sum, { counts }) => sum + counts.leftOut, 0),
    ),
    notes,
    coverage: witness.coverage(locate, policyFile),
  };
}

function isList(tests: PolicyTests | readonly PolicyTests[]): tests is readonly PolicyTests[] {
  return Array.isArray(tests);
}

function countsOf(cases: readonly TestResult[], leftOut: number): TestCounts {
  const count = (status: TestResult["status"]) => cases.filter((test) => test.status === status).length;
  return {
    total: cases.length,
    passed: count("passed"),
    failed: count("failed"),
    errors: count("error"),
    leftOut,
  };
}

import type { Layer, ReasonCode } from "d2-core";
import type { Coverage } from "./coverage.js";
import type { Expectation } from "./policy-tests.js";

/** What came of running tests against a policy. Plain data, deeply readonly, in the order of the files. */
export interface TestRun {
  readonly policy: {
    readonly name: string;
    readonly version: string;
    /** As it was given, for messages. */
    readonly file: string | undefined;
  };
  readonly suites: readonly TestSuite[];
  readonly counts: TestCounts;
  /** What looks like a misspelling: a role or a tool that the policy does not know. No test fails for one. */
  readonly notes: readonly TestNote[];
  readonly coverage: Coverage;
}

/** Something about a test that its author may not mean. */
export interface TestNote {
  readonly file: string | undefined;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The tests of one file. */
export interface TestSuite {
  readonly file: string | undefined;
  readonly cases: readonly TestResult[];
  readonly counts: TestCounts;
}

export interface TestCounts {
  /** Those that ran. */
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly errors: number;
  /** Left out by the filter. */
  readonly leftOut: number;
}

/** What came of one test, or of one row of a table. */
export interface TestResult {
  readonly name: string;
  readonly file: string | undefined;
  /** Of the test, counted from 1. */
  readonly line: number;
  readonly column: number;
  /** `error`: the test could not be made, for the policy refuses what it takes for given. */
  readonly status: "passed" | "failed" | "error";
  /** The call that the rest is about: the last one that was looked at. */
  readonly call: { readonly tool: string; readonly line: number; readonly column: number };
  /** Without values. */
  readonly expected: Omit<Expectation, "value" | "valueIncludes"> | undefined;
  readonly actual: ActualDecision;
  /** What differs, one sentence each; empty when the test has passed. */
  readonly differences: readonly string[];
}

/** A decision as tests see it. */
export interface ActualDecision {
  readonly decision: "allow" | "deny";
  readonly reason: ReasonCode;
  readonly layer: Layer;
  readonly rule?: string;
  /** Of the rule, in the policy's text. */
  readonly line?: number;
  readonly column?: number;
  readonly detail?: string;
  /** Paths of the broken rules, each once. */
  readonly violations: readonly string[];
}

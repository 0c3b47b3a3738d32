export type { Coverage, CoverageItem, CoverageKind, CoverageShare } from "./testing/coverage.js";
export { coverageText } from "./testing/coverage-text.js";
export { junitReport } from "./testing/junit-report.js";
export type { Expectation, PolicyTest, PolicyTests, TestCall, TestUser } from "./testing/policy-tests.js";
export { prettyReport } from "./testing/pretty-report.js";
export { type ReadTestsOptions, readPolicyTests } from "./testing/read-policy-tests.js";
export { type RunTestsOptions, runPolicyTests } from "./testing/run-policy-tests.js";
export { tapReport } from "./testing/tap-report.js";
export type {
  ActualDecision,
  TestCounts,
  TestNote,
  TestResult,
  TestRun,
  TestSuite,
} from "./testing/test-run.js";
export { policyTestsJsonSchema } from "./testing/tests-schema.js";

import { reasonLines, runsOf, totalOf } from "./pretty-report.js";
import { printable } from "./printable.js";
import type { TestResult, TestRun } from "./test-run.js";

/** A run, or the runs of several policies, in the Test Anything Protocol, version 14. */
export function tapReport(runs: TestRun | readonly TestRun[]): string {
  const lines = ["TAP version 14", `1..${totalOf(runs).total}`];
  let number = 0;
  for (const { suites, policy } of runsOf(runs)) {
    for (const { cases } of suites) {
      for (const result of cases) lines.push(...caseLines(result, ++number, policy.file));
    }
  }
  return `${lines.join("\n")}\n`;
}

function caseLines(result: TestResult, number: number, policyFile: string | undefined): string[] {
  const { name, status, file, line, column, call, actual, expected } = result;
  // A `#` would begin a directive such as `# SKIP`.
  const description = printable(name).replace(/[\\#]/g, (mark) => `\\${mark}`);
  const point = `${status === "passed" ? "ok" : "not ok"} ${number} - ${description}`;
  if (status === "passed") return [point];
  const facts: readonly (readonly [string, unknown])[] = [
    ["severity", status === "failed" ? "fail" : "error"],
    ["message", reasonLines(result, policyFile).slice(0, -1).join("\n")],
    ["at", { ...(file === undefined ? {} : { file }), line, column }],
    ["call", call.tool],
    ["expected", expected ?? { decision: "allow" }],
    ["actual", actual],
  ];
  // JSON on one line is YAML.
  return [point, "  ---", ...facts.map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`), "  ..."];
}

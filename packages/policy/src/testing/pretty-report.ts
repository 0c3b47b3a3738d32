import { counted } from "../counted.js";
import { type Marks, NO_MARKS } from "../marks.js";
import { printable } from "./printable.js";
import { decidedBy } from "./run-test.js";
import type { TestCounts, TestResult, TestRun } from "./test-run.js";

/** A run, or the runs of several policies, for people: every test a line, and under those that do not hold why. */
export function prettyReport(runs: TestRun | readonly TestRun[], marks: Marks = NO_MARKS): string {
  const lines: string[] = [];
  for (const { suites, policy, notes } of runsOf(runs)) {
    for (const { file, cases } of suites) {
      lines.push(marks.strong(printable(file ?? "tests")));
      for (const result of cases) lines.push(...caseLines(result, policy.file, marks));
      lines.push("");
    }
    for (const { file, line, column, message } of notes) {
      const place = [file, line, column].filter((part) => part !== undefined).join(":");
      lines.push(`${marks.warn("note")}   ${printable(message)} ${marks.faint(`(${printable(place)})`)}`);
    }
    if (notes.length > 0) lines.push("");
  }
  lines.push(summary(totalOf(runs), marks));
  return `${lines.join("\n")}\n`;
}

export function runsOf(runs: TestRun | readonly TestRun[]): readonly TestRun[] {
  return isList(runs) ? runs : [runs];
}

function isList(runs: TestRun | readonly TestRun[]): runs is readonly TestRun[] {
  return Array.isArray(runs);
}

/** The counts of all runs together. */
export function totalOf(runs: TestRun | readonly TestRun[]): TestCounts {
  const total = { total: 0, passed: 0, failed: 0, errors: 0, leftOut: 0 };
  for (const { counts } of runsOf(runs)) {
    total.total += counts.total;
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.errors += counts.errors;
    total.leftOut += counts.leftOut;
  }
  return total;
}

/** Why a test does not hold, a line each: what differs, what decided, where the test stands. */
export function reasonLines(result: TestResult, policyFile: string | undefined): string[] {
  const { differences, actual, file, status, call } = result;
  const by = decidedBy(actual, policyFile);
  const at = [file, call.line, call.column].filter((part) => part !== undefined).join(":");
  const lines = [...differences];
  if (status === "failed") {
    lines.push(
      `\`${call.tool}\` is decided ${actual.decision}, ${actual.reason}${by === "" ? "" : `, ${by}`}`,
    );
  }
  return [...lines, `at ${at}`].map(printable);
}

function caseLines(result: TestResult, policyFile: string | undefined, marks: Marks): string[] {
  const name = printable(result.name);
  if (result.status === "passed") return [`  ${marks.good("pass")}   ${name}`];
  const word = result.status === "failed" ? marks.bad("FAIL") : marks.bad("ERROR");
  const pad = result.status === "failed" ? "   " : "  ";
  const reasons = reasonLines(result, policyFile);
  const place = marks.faint(reasons.at(-1) ?? "");
  return [`  ${word}${pad}${name}`, ...[...reasons.slice(0, -1), place].map((line) => `           ${line}`)];
}

function summary({ total, passed, failed, errors, leftOut }: TestCounts, marks: Marks): string {
  const parts = [
    marks.good(`${passed} passed`),
    ...(failed === 0 ? [] : [marks.bad(`${failed} failed`)]),
    ...(errors === 0 ? [] : [marks.bad(counted(errors, "error"))]),
    ...(leftOut === 0 ? [] : [`${leftOut} left out`]),
  ];
  return `${counted(total, "test")}: ${parts.join(", ")}`;
}

import { codePointName } from "d2-core";
import { reasonLines, runsOf, totalOf } from "./pretty-report.js";
import type { TestCounts, TestResult, TestRun, TestSuite } from "./test-run.js";

/**
 * A run, or the runs of several policies, as JUnit XML, which build servers read. There are no times in it: deciding
 * is not what takes any.
 */
export function junitReport(runs: TestRun | readonly TestRun[]): string {
  const suites = runsOf(runs).flatMap(({ suites: own, policy }) => {
    return own.flatMap((suite) => suiteLines(suite, policy.file));
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="d2 test"${countAttributes(totalOf(runs))}>`,
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}

function suiteLines({ file = "tests", cases, counts }: TestSuite, policyFile: string | undefined): string[] {
  return [
    `  <testsuite${attribute("name", file)}${countAttributes(counts)}>`,
    ...cases.flatMap((result) => caseLines(result, file, policyFile)),
    "  </testsuite>",
  ];
}

function caseLines(result: TestResult, file: string, policyFile: string | undefined): string[] {
  const { name, line, status, actual, differences } = result;
  const named = `${attribute("name", name)}${attribute("classname", file)}`;
  const open = `    <testcase${named}${attribute("file", file)}${attribute("line", String(line))}`;
  if (status === "passed") return [`${open}/>`];
  const element = status === "failed" ? "failure" : "error";
  const message = `${attribute("message", differences.join("; "))}${attribute("type", actual.reason)}`;
  const text = escaped(reasonLines(result, policyFile).join("\n"));
  return [`${open}>`, `      <${element}${message}>${text}</${element}>`, "    </testcase>"];
}

function countAttributes({ total, failed, errors }: TestCounts): string {
  return ` tests="${total}" failures="${failed}" errors="${errors}" skipped="0"`;
}

function attribute(name: string, value: string): string {
  return ` ${name}="${escaped(value).replace(/[\t\n\r]/g, (mark) => `&#${mark.charCodeAt(0)};`)}"`;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&apos;"],
]);

/** XML 1.0 cannot hold most control characters, lone surrogates and two noncharacters, not even escaped. */
function escaped(text: string): string {
  const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
  return text
    .replace(forbidden, (character) => `<${codePointName(character)}>`)
    .replace(/[&<>"']/g, (character) => ENTITIES.get(character) ?? character)
    .replace(/[\u007f-\u009f]/g, (character) => `&#${character.charCodeAt(0)};`);
}

import { quoted, suggestWord } from "d2-core";
import type { PolicyTest } from "./policy-tests.js";
import type { TestNote, TestResult } from "./test-run.js";

/**
 * Names of a file's tests that the policy does not know, each once. A user with a misspelt role, or a call of a misspelt
 * tool, is denied, and a test that only expects `deny` holds for the wrong reason.
 *
 * @param known the roles of the policy
 */
export function notesOn(
  tests: readonly PolicyTest[],
  results: readonly TestResult[],
  known: readonly string[],
): TestNote[] {
  const notes = new Map<string, TestNote>();
  const note = (
    about: string,
    { line, column }: TestNote | TestResult | PolicyTest,
    message: string,
  ): void => {
    if (!notes.has(about)) notes.set(about, { file: results[0]?.file, line, column, message });
  };
  for (const test of tests) {
    for (const role of test.user?.roles ?? []) {
      if (known.includes(role)) continue;
      const suggestion = suggestWord(role, known);
      const hint = suggestion === undefined ? "" : `: did you mean ${quoted(suggestion)}?`;
      note(`role ${role}`, test, `the policy says nothing of the role ${quoted(role)}${hint}`);
    }
  }
  for (const result of results) {
    if (result.actual.reason !== "missing_policy" || result.expected?.reason === "missing_policy") continue;
    const { tool } = result.call;
    const message = `no permission of the policy names ${quoted(tool)}: expect the reason \`missing_policy\` if that is meant`;
    note(`tool ${tool}`, result, message);
  }
  return [...notes.values()];
}

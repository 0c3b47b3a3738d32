import type { Release } from "d2-core";
import type { Expectation } from "./policy-tests.js";
import type { ActualDecision } from "./test-run.js";
import { type Comparison, differenceWords, valueDifferences } from "./value-difference.js";

/** Differences of a value that are listed. */
const MOST_PLACES = 10;

/** What of an expectation does not hold, field by field, in words. Empty: all of it holds. */
export function compareExpectation(
  expected: Expectation,
  actual: ActualDecision,
  release: Release | undefined,
  values: boolean,
): string[] {
  const differences: string[] = [];
  const differs = (field: string, wanted: string, got: string): void => {
    differences.push(`${field}: expected ${wanted}, got ${got}`);
  };
  if (expected.decision !== undefined && expected.decision !== actual.decision) {
    differs("decision", expected.decision, actual.decision);
  }
  for (const field of ["reason", "layer", "rule", "detail"] as const) {
    const wanted = expected[field];
    const got = actual[field];
    if (wanted === undefined || wanted === got) continue;
    if (field === "rule" && got !== undefined && isWithin(got, wanted)) continue;
    differs(field, `\`${wanted}\``, got === undefined ? "none" : `\`${got}\``);
  }
  if (expected.violations !== undefined) {
    const wanted = [...new Set(expected.violations)].sort();
    const got = [...actual.violations].sort();
    if (wanted.join("\n") !== got.join("\n")) differs("violations", listed(wanted), listed(got));
  }
  if (expected.value !== undefined) {
    differences.push(...compareValue("value", expected.value.is, "whole", release, values));
  }
  if (expected.valueIncludes !== undefined) {
    differences.push(...compareValue("value_includes", expected.valueIncludes.is, "part", release, values));
  }
  return differences;
}

function compareValue(
  field: string,
  wanted: unknown,
  comparison: Comparison,
  release: Release | undefined,
  values: boolean,
): string[] {
  if (release === undefined || release.decision.outcome === "deny") return [`${field}: nothing was released`];
  const found = valueDifferences(release.value, wanted, comparison);
  const words = found
    .slice(0, MOST_PLACES)
    .map((difference) => `${field}: ${differenceWords(difference, values)}`);
  const rest = found.length - words.length;
  return rest > 0 ? [...words, `${field}: … and ${rest} more places differ`] : words;
}

/** Whether a document path leads to something inside of what the other one leads to. */
function isWithin(path: string, around: string): boolean {
  return path.startsWith(around) && /^[.[]/.test(path.slice(around.length));
}

function listed(paths: readonly string[]): string {
  return paths.length === 0 ? "none" : paths.map((path) => `\`${path}\``).join(", ");
}

import { type DocumentPath, formatDocumentPath } from "d2-core";

/** One place in which a released value is not the expected one. */
export interface ValueDifference {
  readonly path: DocumentPath;
  readonly kind: "other" | "missing" | "unexpected";
  readonly expected: unknown;
  readonly actual: unknown;
}

/** How a released value is compared. `part`: mappings may hold more keys than the expected ones. */
export type Comparison = "whole" | "part";

/**
 * Where two values differ, deeply, in the order of the expected one. The order of keys says nothing; `1` and `true`
 * differ, a bigint equals the same number, and `NaN` itself.
 */
export function valueDifferences(
  actual: unknown,
  expected: unknown,
  comparison: Comparison,
  path: DocumentPath = [],
): ValueDifference[] {
  const other: ValueDifference = { path, kind: "other", expected, actual };
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return [other];
    const length = Math.max(actual.length, expected.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) => {
      const place = [...path, index];
      if (index >= actual.length)
        return { ...other, path: place, kind: "missing", expected: expected[index] };
      if (index >= expected.length)
        return { ...other, path: place, kind: "unexpected", actual: actual[index] };
      return valueDifferences(actual[index], expected[index], comparison, place);
    });
  }
  if (!isMapping(expected)) return same(actual, expected) ? [] : [other];
  if (!isMapping(actual)) return [other];
  const differences = Object.keys(expected).flatMap((key): ValueDifference[] => {
    const place = [...path, key];
    if (!Object.hasOwn(actual, key))
      return [{ path: place, kind: "missing", expected: expected[key], actual: undefined }];
    return valueDifferences(actual[key], expected[key], comparison, place);
  });
  if (comparison === "part") return differences;
  const beyond = Object.keys(actual).filter((key) => !Object.hasOwn(expected, key));
  return [
    ...differences,
    ...beyond.map((key): ValueDifference => {
      return { path: [...path, key], kind: "unexpected", expected: undefined, actual: actual[key] };
    }),
  ];
}

/** A difference in words; the values themselves only when they may be shown. */
export function differenceWords({ path, kind, expected, actual }: ValueDifference, values: boolean): string {
  const place = path.length === 0 ? "`$`" : `\`${formatDocumentPath(path)}\``;
  switch (kind) {
    case "missing":
      return `${place} is missing${values ? `, expected ${valueText(expected)}` : ""}`;
    case "unexpected":
      return `${place} is there and not expected${values ? `: ${valueText(actual)}` : ""}`;
    case "other":
      return values
        ? `${place}: expected ${valueText(expected)}, got ${valueText(actual)}`
        : `${place} is another one`;
  }
}

const LONGEST = 80;

function valueText(value: unknown): string {
  const text =
    JSON.stringify(value, (_, inside: unknown) => {
      if (typeof inside === "bigint") return String(inside);
      return typeof inside === "number" && !Number.isFinite(inside) ? String(inside) : inside;
    }) ?? "nothing";
  const points = [...text];
  return points.length > LONGEST ? `${points.slice(0, LONGEST).join("")}…` : text;
}

function same(actual: unknown, expected: unknown): boolean {
  if (typeof actual === "bigint" && typeof expected === "number") {
    return Number.isInteger(expected) && BigInt(expected) === actual;
  }
  if (typeof expected === "bigint" && typeof actual === "number") return same(expected, actual);
  return actual === expected || (Number.isNaN(actual) && Number.isNaN(expected));
}

function isMapping(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

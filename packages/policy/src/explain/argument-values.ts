import type { InputRule } from "d2-core";
import { patternSamples } from "./pattern-sample.js";

type Check = InputRule["checks"][number];

/** Values listed for one path. */
const MAX_VALUES = 6;
/** How many of the tiers hold what operands name outright. */
const NAMED_TIERS = 2;
/** Characters or items of a value made up to be long enough. */
const MAX_FILL = 10_000;

/** Tried last: values that many rules take. */
const SAMPLES: readonly unknown[] = Object.freeze([
  "a",
  1,
  0,
  true,
  false,
  0.5,
  "A",
  "a1",
  "",
  "2026-01-01",
  "a@example.com",
  -1,
  null,
]);

/**
 * Values that satisfy all rules of a path. They come from the operands, which are policy content: first from those of the
 * operators that the caller's values break, then from the others, then made up. None of it holds the caller's values.
 *
 * @param broken which checks the present values break
 */
export function valuesFor(rules: readonly InputRule[], broken: (check: Check) => boolean): unknown[] {
  const checks = rules.flatMap((rule) => rule.checks);
  const required = rules.some((rule) => rule.required !== undefined);
  const fits = (value: unknown) =>
    !(required && value === null) && checks.every((check) => holds(check, value));
  const tiers = [
    checks.filter(broken).flatMap(named),
    checks.flatMap(named),
    checks.filter(broken).flatMap((check) => near(check, checks)),
    [...checks.flatMap((check) => near(check, checks)), ...composed(checks)],
  ];
  for (const [tier, values] of tiers.entries()) {
    // What operands name is listed as a choice; of what is made up one example says it all.
    const found = distinct(values.filter(fits)).slice(0, tier < NAMED_TIERS ? MAX_VALUES : 1);
    if (found.length > 0) return found;
  }
  return SAMPLES.filter(fits).slice(0, 1);
}

function holds(check: Check, value: unknown): boolean {
  try {
    return check.holds(value);
  } catch {
    return false; // a value that cannot be judged satisfies nothing
  }
}

/** What the operand names outright: allowed values and boundaries. */
function named({ violation: { operator, operand } }: Check): readonly unknown[] {
  switch (operator) {
    case "eq":
    case "min":
    case "max":
      return [operand];
    case "in":
      return Array.isArray(operand) ? operand : [operand];
  }
  return [];
}

/** What lies beside a boundary, or is made from the operand. */
function near({ violation: { operator, operand } }: Check, all: readonly Check[]): readonly unknown[] {
  switch (operator) {
    case "min":
      return typeof operand === "number" ? [Math.ceil(operand), middle(all)] : [];
    case "max":
      return typeof operand === "number" ? [Math.floor(operand), middle(all)] : [];
    case "gt":
      return typeof operand === "number" ? [Math.floor(operand) + 1, operand + 0.5, middle(all)] : [];
    case "lt":
      return typeof operand === "number" ? [Math.ceil(operand) - 1, operand - 0.5, middle(all)] : [];
    case "startsWith":
    case "endsWith":
      return [operand];
    case "contains":
      return [operand, [operand]];
    case "matches":
      return typeof operand === "string" ? patternSamples(operand) : [];
    case "minLength":
    case "maxLength":
      return typeof operand === "number" && operand <= MAX_FILL
        ? ["a".repeat(operand), Array.from({ length: operand }, () => "a"), "1".repeat(operand)]
        : [];
    case "type":
      return ["a", 1, 0.5, true, [], {}];
  }
  return [];
}

/** Halfway between the bounds that a number has on both sides. */
function middle(checks: readonly Check[]): number | undefined {
  const bounds = (names: readonly string[]) =>
    checks.flatMap(({ violation: { operator, operand } }) =>
      names.includes(operator) && typeof operand === "number" ? [operand] : [],
    );
  const [low, high] = [Math.max(...bounds(["min", "gt"])), Math.min(...bounds(["max", "lt"]))];
  const between = low + (high - low) / 2;
  return Number.isFinite(between) ? between : undefined;
}

/** Strings and lists put together from the beginning, the end, what must be in them, and the length. */
function composed(checks: readonly Check[]): unknown[] {
  const operands = (name: string) =>
    checks.flatMap(({ violation: { operator, operand } }) => (operator === name ? [operand] : []));
  const texts = (name: string) => operands(name).filter((it) => typeof it === "string");
  const longest = (name: string) => texts(name).reduce((a, b) => (b.length > a.length ? b : a), "");
  const least = Math.min(
    MAX_FILL,
    Math.max(0, ...operands("minLength").filter((it) => typeof it === "number")),
  );
  const parts = [...new Set(operands("contains"))];
  const inner = texts("contains").join("");
  const [start, end] = [longest("startsWith"), longest("endsWith")];
  const fill = (character: string) => {
    const missing = Math.max(0, least - Array.from(start + inner + end).length);
    return start + inner + character.repeat(missing) + end;
  };
  return [
    ...(least === 0 && inner === "" ? overlapped(start, end) : []),
    fill("a"),
    fill("1"),
    [...parts, ...Array.from({ length: Math.max(0, least - parts.length) }, () => "a")],
    Object.fromEntries(Array.from({ length: Math.min(least, 100) }, (_, at) => [`a${at}`, 0])),
  ];
}

/** The shortest text with this beginning and this end. */
function overlapped(start: string, end: string): string[] {
  for (let shared = Math.min(start.length, end.length, 200); shared > 0; shared--) {
    if (start.endsWith(end.slice(0, shared))) return [start + end.slice(shared)];
  }
  return [];
}

function distinct(values: readonly unknown[]): unknown[] {
  const byText = new Map<string | undefined, unknown>();
  for (const value of values) {
    const text = JSON.stringify(value);
    if (text !== undefined && !byText.has(text)) byText.set(text, value);
  }
  return [...byText.values()];
}

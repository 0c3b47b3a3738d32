import type { PolicyValue } from "../document/document.js";
import { isList, isMapping } from "./kind.js";

/** `unclear`: the value, or something inside where the operand has data, is not plain data and equals nothing for sure. */
export type Comparison = "equal" | "different" | "unclear";

/**
 * Compares a value with an operand, deeply. `1` and `true` differ, `0` and `-0` do not, a bigint equals the same
 * number, `NaN` equals nothing. Goes no deeper than the operand, so cycles and depth in the value do no harm. Reads
 * own enumerable keys only, and expects a value without accessors.
 */
export function compare(value: unknown, operand: PolicyValue): Comparison {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value === operand ? "equal" : "different";
    case "number":
      return value === operand ? "equal" : "different";
    case "bigint":
      return typeof operand === "number" && Number.isInteger(operand) && BigInt(operand) === value
        ? "equal"
        : "different";
    case "undefined":
    case "symbol":
    case "function":
      return "unclear";
    case "object":
      if (value === null) return operand === null ? "equal" : "different";
      if (isList(value)) return isOperandList(operand) ? compareLists(value, operand) : "different";
      if (!isMapping(value)) return "unclear";
      return isOperandMapping(operand) ? compareMappings(value, operand) : "different";
  }
}

function compareLists(value: readonly unknown[], operand: readonly PolicyValue[]): Comparison {
  if (value.length !== operand.length) return "different";
  let answer: Comparison = "equal";
  for (const [index, expected] of operand.entries()) {
    const item = compare(value[index], expected);
    if (item === "different") return item;
    if (item === "unclear") answer = item;
  }
  return answer;
}

function compareMappings(
  value: { readonly [key: string]: unknown },
  operand: { readonly [key: string]: PolicyValue },
): Comparison {
  let keys = 0;
  for (const key of Object.keys(value)) if (value[key] !== undefined) keys++;
  const expectedKeys = Object.keys(operand);
  if (keys !== expectedKeys.length) return "different";
  let answer: Comparison = "equal";
  for (const key of expectedKeys) {
    const expected = operand[key];
    if (expected === undefined || !Object.hasOwn(value, key) || value[key] === undefined) return "different";
    const entry = compare(value[key], expected);
    if (entry === "different") return entry;
    if (entry === "unclear") answer = entry;
  }
  return answer;
}

function isOperandList(operand: PolicyValue): operand is readonly PolicyValue[] {
  return Array.isArray(operand);
}

function isOperandMapping(operand: PolicyValue): operand is { readonly [key: string]: PolicyValue } {
  return typeof operand === "object" && operand !== null && !Array.isArray(operand);
}

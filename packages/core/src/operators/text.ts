import { decimalText } from "../values/decimal.js";
import { compare } from "../values/equal.js";
import { isList } from "../values/kind.js";
import { checkPattern, checkText, checkValue, fault } from "./operand.js";
import type { OperandCheck, Operator } from "./operator.js";
import { compilePattern } from "./pattern.js";
import { show } from "./show.js";

export const matches: Operator = {
  name: "matches",
  group: "is",
  operandSchema: { type: "string", format: "re2" },
  summary: "The whole string matches this RE2 pattern. With an action: the pattern is found in the string.",
  otherKinds: "not a string: fails; with an action, a number is tried by its decimal text",
  complaint: "is not a string that matches the pattern",
  checkOperand: (operand) => checkPattern("matches", operand),
  bind(operand) {
    const pattern = compilePattern(String(operand));
    return {
      holds: (value) => typeof value === "string" && pattern.matchesWhole(value),
      fires(value) {
        if (typeof value === "string") return pattern.foundIn(value);
        if (typeof value !== "number" && typeof value !== "bigint") return false;
        const text = decimalText(value);
        return text !== undefined && pattern.foundIn(text);
      },
    };
  },
  words: (operand) => `matched by ${show(operand)}`,
};

export const notMatches: Operator = {
  name: "not_matches",
  group: "constraint",
  operandSchema: { type: "string", format: "re2" },
  summary: "This RE2 pattern is found nowhere in the string.",
  otherKinds: "not a string: fails",
  complaint: "is not a string free of the pattern",
  checkOperand: (operand) => checkPattern("not_matches", operand),
  bind(operand) {
    const pattern = compilePattern(String(operand));
    const holds = (value: unknown) => typeof value === "string" && !pattern.foundIn(value);
    return { holds, fires: (value) => !holds(value) };
  },
  words: (operand) => `free of ${show(operand)}`,
};

export const contains: Operator = {
  name: "contains",
  group: "is",
  operandSchema: { not: { type: "array" } },
  summary: "The string has this part, or the list this item.",
  otherKinds: "neither string nor list: fails",
  complaint: "does not contain what it must",
  checkOperand: (operand) => checkPart("contains", operand),
  bind(operand) {
    return {
      holds(value) {
        if (typeof value === "string") return typeof operand === "string" && value.includes(operand);
        return isList(value) && value.some((item) => compare(item, operand) === "equal");
      },
      fires: (value) => typeof value === "string" && typeof operand === "string" && value.includes(operand),
    };
  },
  words: (operand) => `with ${show(operand)} in it`,
};

export const notContains: Operator = {
  name: "not_contains",
  group: "constraint",
  operandSchema: { not: { type: "array" } },
  summary: "The string lacks this part, or the list this item.",
  otherKinds: "neither string nor list: fails",
  complaint: "contains what it must not, or is neither string nor list",
  checkOperand: (operand) => checkPart("not_contains", operand),
  bind(operand) {
    const holds = (value: unknown) => {
      if (typeof value === "string") return typeof operand !== "string" || !value.includes(operand);
      if (!isList(value)) return false;
      // An item that cannot be compared might be taken for the operand by the function: it counts as if it were.
      for (let index = 0; index < value.length; index++) {
        if (compare(value[index], operand) !== "different") return false;
      }
      return true;
    };
    return { holds, fires: (value) => !holds(value) };
  },
  words: (operand) => `without ${show(operand)} in it`,
};

export const startsWith: Operator = {
  name: "startsWith",
  group: "is",
  operandSchema: { type: "string" },
  summary: "The string begins with this text.",
  otherKinds: "not a string: fails",
  complaint: "is not a string with the right beginning",
  checkOperand: (operand) => checkText("startsWith", operand),
  bind(operand) {
    const prefix = String(operand);
    const holds = (value: unknown) => typeof value === "string" && value.startsWith(prefix);
    return { holds, fires: holds };
  },
  words: (operand) => `beginning with ${show(operand)}`,
};

export const endsWith: Operator = {
  name: "endsWith",
  group: "is",
  operandSchema: { type: "string" },
  summary: "The string ends with this text.",
  otherKinds: "not a string: fails",
  complaint: "is not a string with the right end",
  checkOperand: (operand) => checkText("endsWith", operand),
  bind(operand) {
    const suffix = String(operand);
    const holds = (value: unknown) => typeof value === "string" && value.endsWith(suffix);
    return { holds, fires: holds };
  },
  words: (operand) => `ending with ${show(operand)}`,
};

/** A list would be taken for "one of these", which it would not mean: it is refused. */
function checkPart(name: string, operand: unknown): OperandCheck {
  if (isList(operand)) return fault(`\`${name}\` takes one value, not a list: write a rule for each`);
  return checkValue(name, operand);
}

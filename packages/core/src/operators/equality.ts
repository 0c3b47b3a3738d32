import type { PolicyValue } from "../document/document.js";
import { compare } from "../values/equal.js";
import { kindOf } from "../values/kind.js";
import { checkValue, checkValues } from "./operand.js";
import type { Operator } from "./operator.js";
import { listOf, show, showAll } from "./show.js";

export const eq: Operator = {
  name: "eq",
  group: "is",
  operandSchema: {},
  summary: "The value equals this one, deeply; 1 and true differ.",
  otherKinds: "fails",
  complaint: "is not the value that is allowed",
  checkOperand: (operand) => checkValue("eq", operand),
  bind(operand) {
    const holds = (value: unknown) => compare(value, operand) === "equal";
    return { holds, fires: holds };
  },
  words: (operand) => `equal to ${show(operand)}`,
};

export const ne: Operator = {
  name: "ne",
  group: "constraint",
  operandSchema: {},
  summary: "The value differs from this one, deeply; 1 and true differ.",
  otherKinds: "fails",
  complaint: "is a value that is not allowed",
  checkOperand: (operand) => checkValue("ne", operand),
  bind(operand) {
    const holds = (value: unknown) => compare(value, operand) === "different";
    return { holds, fires: (value) => !holds(value) };
  },
  words: (operand) => `different from ${show(operand)}`,
};

export const isIn: Operator = {
  name: "in",
  group: "is",
  operandSchema: { anyOf: [{ type: "array", minItems: 1 }, { type: "string" }] },
  summary: "The value equals one of this list. A lone string is a list of one.",
  otherKinds: "fails",
  complaint: "is not one of the values that are allowed",
  checkOperand: (operand) => checkValues("in", operand, 1),
  bind(operand) {
    const holds = membership(listOf(operand)).includes;
    return { holds, fires: holds };
  },
  words: (operand) => `one of ${showAll(listOf(operand))}`,
};

export const notIn: Operator = {
  name: "not_in",
  group: "constraint",
  operandSchema: { anyOf: [{ type: "array" }, { type: "string" }] },
  summary: "The value equals none of this list. A lone string is a list of one.",
  otherKinds: "fails",
  complaint: "is one of the values that are not allowed",
  checkOperand: (operand) => checkValues("not_in", operand, 0),
  bind(operand) {
    const holds = membership(listOf(operand)).excludes;
    return { holds, fires: (value) => !holds(value) };
  },
  words: (operand) => `none of ${showAll(listOf(operand))}`,
};

interface Membership {
  readonly includes: (value: unknown) => boolean;
  /** Surely none of the list: false too where the value cannot be compared. */
  readonly excludes: (value: unknown) => boolean;
}

/** Strings, the common case, are looked up; everything else is compared one by one. */
function membership(list: readonly PolicyValue[]): Membership {
  const texts: ReadonlySet<unknown> = new Set(list.filter((item) => typeof item === "string"));
  const others = list.filter((item) => typeof item !== "string");
  return {
    includes: (value) =>
      typeof value === "string" ? texts.has(value) : others.some((item) => compare(value, item) === "equal"),
    excludes(value) {
      if (typeof value === "string") return !texts.has(value);
      const kind = kindOf(value);
      if (kind === "other" || kind === "set" || kind === "absent") return false;
      return others.every((item) => compare(value, item) === "different");
    },
  };
}

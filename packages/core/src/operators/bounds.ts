import { checkNumber } from "./operand.js";
import type { Judge, Operator } from "./operator.js";
import { show } from "./show.js";

const operandSchema = { type: "number" } as const;

export const min: Operator = {
  name: "min",
  group: "constraint",
  operandSchema,
  summary: "The number is this or more.",
  otherKinds: "not a number: fails",
  complaint: "is not a number at or above the lowest allowed",
  checkOperand: (operand) => checkNumber("min", operand),
  bind(operand) {
    const bound = Number(operand);
    return constraint((value) => (typeof value === "number" || typeof value === "bigint") && value >= bound);
  },
  words: (operand) => `at least ${show(operand)}`,
};

export const max: Operator = {
  name: "max",
  group: "constraint",
  operandSchema,
  summary: "The number is this or less.",
  otherKinds: "not a number: fails",
  complaint: "is not a number at or below the highest allowed",
  checkOperand: (operand) => checkNumber("max", operand),
  bind(operand) {
    const bound = Number(operand);
    return constraint((value) => (typeof value === "number" || typeof value === "bigint") && value <= bound);
  },
  words: (operand) => `at most ${show(operand)}`,
};

export const gt: Operator = {
  name: "gt",
  group: "constraint",
  operandSchema,
  summary: "The number is more than this.",
  otherKinds: "not a number: fails",
  complaint: "is not a number above the bound",
  checkOperand: (operand) => checkNumber("gt", operand),
  bind(operand) {
    const bound = Number(operand);
    return constraint((value) => (typeof value === "number" || typeof value === "bigint") && value > bound);
  },
  words: (operand) => `more than ${show(operand)}`,
};

export const lt: Operator = {
  name: "lt",
  group: "constraint",
  operandSchema,
  summary: "The number is less than this.",
  otherKinds: "not a number: fails",
  complaint: "is not a number below the bound",
  checkOperand: (operand) => checkNumber("lt", operand),
  bind(operand) {
    const bound = Number(operand);
    return constraint((value) => (typeof value === "number" || typeof value === "bigint") && value < bound);
  },
  words: (operand) => `less than ${show(operand)}`,
};

/** NaN is a number that no comparison holds for; a bigint compares with a number exactly. */
function constraint(holds: (value: unknown) => boolean): Judge {
  return { holds, fires: (value) => !holds(value) };
}

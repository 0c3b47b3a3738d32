import { byteSize } from "../values/bytes.js";
import { isAtLeast, isAtMost } from "../values/length.js";
import { checkCount } from "./operand.js";
import type { Operator } from "./operator.js";
import { show } from "./show.js";

const operandSchema = { type: "integer", minimum: 0 } as const;

export const minLength: Operator = {
  name: "minLength",
  group: "constraint",
  operandSchema,
  summary: "At least this many characters of a string, items of a list, or entries of a mapping.",
  otherKinds: "no length: fails; null counts as absent",
  complaint: "is not something that is long enough",
  checkOperand: (operand) => checkCount("minLength", "characters, items or entries", operand),
  bind(operand) {
    const bound = Number(operand);
    const holds = (value: unknown) => value === null || isAtLeast(value, bound) === true;
    return { holds, fires: (value) => !holds(value) };
  },
  words: (operand) => `at least ${show(operand)} long`,
};

export const maxLength: Operator = {
  name: "maxLength",
  group: "constraint",
  operandSchema,
  summary: "At most this many characters of a string, items of a list, or entries of a mapping.",
  otherKinds: "no length: fails; null counts as absent",
  complaint: "is not something that is short enough",
  checkOperand: (operand) => checkCount("maxLength", "characters, items or entries", operand),
  bind(operand) {
    const bound = Number(operand);
    const holds = (value: unknown) => value === null || isAtMost(value, bound) === true;
    return { holds, fires: (value) => !holds(value) };
  },
  words: (operand) => `at most ${show(operand)} long`,
};

export const maxBytes: Operator = {
  name: "max_bytes",
  group: "constraint",
  operandSchema,
  summary: "At most this many bytes in UTF-8: a string without its quotes, anything else as compact JSON.",
  otherKinds: "not serializable: fails; null counts as absent",
  complaint: "takes too many bytes, or cannot be written as JSON",
  checkOperand: (operand) => checkCount("max_bytes", "bytes", operand),
  bind(operand) {
    const bound = Number(operand);
    const holds = (value: unknown) => {
      if (value === null) return true;
      const size = byteSize(value, bound);
      return size !== undefined && size <= bound;
    };
    return { holds, fires: (value) => !holds(value) };
  },
  words: (operand) => `at most ${show(operand)} bytes`,
};

import type { PolicyValue } from "../document/document.js";
import { isList } from "../values/kind.js";
import { checkBoolean, fault } from "./operand.js";
import type { Operator } from "./operator.js";
import { isTypeName, suggestType, TYPE_NAMES, typeTest } from "./type-names.js";

export const required: Operator = {
  name: "required",
  group: "presence",
  operandSchema: { type: "boolean" },
  summary: "Whether the value must be present and not null.",
  otherKinds: "every value but null satisfies it",
  complaint: "is required",
  checkOperand: (operand) => checkBoolean("required", operand),
  bind(operand) {
    if (operand !== true) return { holds: () => true, fires: () => false };
    return { holds: isPresent, fires: (value) => !isPresent(value) };
  },
  words: (operand) => (operand === true ? "present and not null" : "present or not"),
};

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

export const type: Operator = {
  name: "type",
  group: "constraint",
  operandSchema: {
    anyOf: [{ enum: TYPE_NAMES }, { type: "array", items: { enum: TYPE_NAMES }, minItems: 1 }],
  },
  summary: "The type of the value, or a list of types of which it has one. Null counts as absent.",
  otherKinds: "fails",
  complaint: "is of a type that is not allowed",
  checkOperand(operand) {
    const names: readonly unknown[] = isList(operand) ? operand : [operand];
    if (names.length === 0) return fault("`type` must list at least one type");
    const known: string[] = [];
    for (const name of names) {
      if (typeof name !== "string")
        return fault("`type` must be the name of a type, or a list of such names");
      if (!isTypeName(name)) {
        return fault(
          `\`type\`: there is no type \`${name}\`; the types are ${TYPE_NAMES.join(", ")}`,
          suggestType(name),
        );
      }
      known.push(name);
    }
    return { ok: true, operand: typeof operand === "string" ? operand : Object.freeze(known) };
  },
  bind(operand) {
    const tests = namesIn(operand).filter(isTypeName).map(typeTest);
    const [only] = tests;
    const holds =
      only !== undefined && tests.length === 1 ? only : (value: unknown) => tests.some((test) => test(value));
    return { holds, fires: (value) => !holds(value) };
  },
  words: (operand) => `of type ${namesIn(operand).join(" or ")}`,
};

function namesIn(operand: PolicyValue): readonly string[] {
  const names: readonly PolicyValue[] = Array.isArray(operand) ? operand : [operand];
  return names.filter((name) => typeof name === "string");
}

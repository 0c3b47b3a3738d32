import type { FieldRule } from "../document/document.js";
import { formatDocumentPath } from "../document/fault.js";
import { operatorOf } from "../operators/operators.js";
import type { CheckOperator, FieldCheck } from "./field-check.js";

/** Binds a rule without action. */
export function compileFieldCheck(rule: FieldRule): FieldCheck {
  const operators = rule.operators.map(({ name, operand }): CheckOperator => {
    const operator = operatorOf(name);
    return {
      judge: operator.bind(operand),
      violation: Object.freeze({
        path: rule.path,
        operator: name,
        operand,
        message: `\`${rule.path}\` ${operator.complaint}`,
      }),
      required: name === "required" && operand === true,
      typed: name === "type",
    };
  });
  return {
    rule: formatDocumentPath(rule.at),
    path: rule.path === "$" ? undefined : rule.path,
    operators,
    required: operators.some(({ required }) => required),
  };
}

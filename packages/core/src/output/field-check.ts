import type { Violation } from "../decision.js";
import type { Judge } from "../operators/operator.js";
import { counted } from "./counted.js";
import { followPath } from "./field-path.js";

/** An output rule without action, ready to judge. */
export interface FieldCheck {
  /** Document path of the rule. */
  readonly rule: string;
  /** From the returned value on; `undefined` for the value itself. */
  readonly path: string | undefined;
  readonly operators: readonly CheckOperator[];
  /** Whether an absent field is a violation of one of the operators. */
  readonly required: boolean;
}

/** One operator of such a rule. */
export interface CheckOperator {
  readonly judge: Judge;
  readonly violation: Violation;
  readonly required: boolean;
  /** `type`, whose name `set` means a set as it is, although a set counts as a list. */
  readonly typed: boolean;
}

/**
 * The operators of a rule that an inspected value breaks, each once.
 *
 * @param special whether anything in the value counts as other than it is
 */
export function violationsOf(check: FieldCheck, value: unknown, special: boolean): readonly Violation[] {
  const broken = new Set<CheckOperator>();
  const found = followPath(value, check.path, (field) => {
    const plain = special ? counted(field) : field;
    for (const operator of check.operators) {
      const { judge, typed } = operator;
      if (!judge.holds(plain) && !(typed && judge.holds(field))) broken.add(operator);
    }
  });
  return check.operators
    .filter((operator) => broken.has(operator) || (operator.required && !found))
    .map(({ violation }) => violation);
}

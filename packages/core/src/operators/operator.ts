import type { OperatorName, PolicyValue } from "../document/document.js";

/**
 * When an operator of a rule with an action fires (section 7 of the language):
 * `is` when the value is what the operator names, `constraint` when the constraint is broken, `presence` for `required`.
 */
export type FiringGroup = "is" | "constraint" | "presence";

/** What `checkOperand` makes of an operand as written. */
export type OperandCheck =
  | { readonly ok: true; readonly operand: PolicyValue }
  | { readonly ok: false; readonly message: string; readonly suggestion?: string };

/** An operator bound to its operand. Pure, and linear in the value. Never called for an absent value but by `required`. */
export interface Judge {
  /** Input rules and output validation: whether the constraint holds for this present value. */
  readonly holds: (value: unknown) => boolean;
  /** Output rules with an action: whether the operator says so for this very value (lists and mappings are walked by the caller). */
  readonly fires: (value: unknown) => boolean;
}

/** One row of the operator table, which rules, JSON Schema, docs and explanations all read. */
export interface Operator {
  readonly name: OperatorName;
  readonly group: FiringGroup;
  /** JSON Schema (2020-12) of the operand. */
  readonly operandSchema: { readonly [key: string]: PolicyValue };
  /** One sentence for hover texts and the docs table. */
  readonly summary: string;
  /** What a value of another kind does, for the docs table. */
  readonly otherKinds: string;
  /** `operand` is what the author wrote (a bigint where YAML had a big integer). */
  checkOperand(operand: unknown): OperandCheck;
  /** `operand` came out of `checkOperand`. */
  bind(operand: PolicyValue): Judge;
  /** Plain words after the path: "at most 1000", "one of "open", "closed"". Shows the operand, never a value. */
  words(operand: PolicyValue): string;
  /** What a violation says after the path: "is above the highest allowed". Shows neither the operand nor a value. */
  readonly complaint: string;
}

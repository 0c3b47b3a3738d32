import type { OperatorName } from "../document/document.js";
import { gt, lt, max, min } from "./bounds.js";
import { eq, isIn, ne, notIn } from "./equality.js";
import type { Operator } from "./operator.js";
import { required, type } from "./presence.js";
import { maxBytes, maxLength, minLength } from "./size.js";
import { contains, endsWith, matches, notContains, notMatches, startsWith } from "./text.js";

export { suggestOperator } from "./suggest.js";

/** Typed by name, so that a missing row does not compile. The order is that of the language's own table. */
const TABLE: { readonly [Name in OperatorName]: Operator } = {
  required,
  type,
  eq,
  ne,
  in: isIn,
  not_in: notIn,
  min,
  max,
  gt,
  lt,
  minLength,
  maxLength,
  max_bytes: maxBytes,
  matches,
  not_matches: notMatches,
  contains,
  not_contains: notContains,
  startsWith,
  endsWith,
};

/** Every operator of the language by name. Input rules, output rules, the schema, the docs and explanations read it. */
export const OPERATORS: ReadonlyMap<OperatorName, Operator> = new Map(
  Object.values(TABLE).map((operator) => [operator.name, operator]),
);

/** The operator of this name. */
export function operatorOf(name: OperatorName): Operator {
  return TABLE[name];
}

/** Whether a word is the name of an operator. */
export function isOperatorName(word: string): word is OperatorName {
  return Object.hasOwn(TABLE, word);
}

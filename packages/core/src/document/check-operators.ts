import { isOperatorName, operatorOf, suggestOperator } from "../operators/operators.js";
import { readPattern } from "../operators/pattern.js";
import type { DocumentPath, OperatorName, OperatorUse, PolicyValue } from "./document.js";
import { freezeDeep } from "./freeze-deep.js";
import { quoted } from "./name-characters.js";
import { holdsUnreadable, type PolicyTree, toPlainValue } from "./policy-tree.js";
import type { TreeReading } from "./tree-reading.js";

/** Checks one operator of a rule and its operand. */
export function checkOperator(
  key: string,
  node: PolicyTree,
  path: DocumentPath,
  reading: TreeReading,
): OperatorUse | undefined {
  if (!isOperatorName(key)) {
    reportUnknown(key, path, reading);
    return undefined;
  }
  const operator = operatorOf(key);
  if (holdsUnreadable(node) || !reading.wellFormed(node, path)) return undefined;
  const check = operator.checkOperand(toPlainValue(node));
  if (check.ok) return Object.freeze({ name: operator.name, operand: freezeDeep(check.operand) });
  reading.faults.error(operandCode(operator.name, node), check.message, path, {
    suggestion: check.suggestion,
  });
  return undefined;
}

/** Checks a pattern that stands for itself, as in `deny_if_patterns`. */
export function checkPattern(text: string, path: DocumentPath, reading: TreeReading): boolean {
  const read = readPattern(text);
  if (!read.ok) reading.faults.error("bad_pattern", read.message, path);
  return read.ok;
}

/** Whether a pattern that was found sound can match the empty string. */
export function canMatchEmpty(pattern: string): boolean {
  const read = readPattern(pattern);
  return read.ok && read.pattern.canMatchEmpty;
}

function reportUnknown(key: string, path: DocumentPath, reading: TreeReading): void {
  if (key === "action") {
    const message = "an `action` changes what a tool returns: it belongs to `conditions.output`";
    reading.faults.error("action_in_input", message, path, { at: "key" });
    return;
  }
  const suggestion = reading.faults.isFull ? undefined : suggestOperator(key);
  const hint = suggestion === undefined ? "see the list of operators" : `did you mean \`${suggestion}\`?`;
  const message = `${quoted(key)} is not an operator: ${hint}`;
  reading.faults.error("unknown_operator", message, path, { at: "key", suggestion });
}

/** A code that tells a program what kind of operand was refused. */
function operandCode(name: OperatorName, node: PolicyTree): string {
  if ((name === "matches" || name === "not_matches") && typeof node === "string") return "bad_pattern";
  const words = Array.isArray(node) ? node : [node];
  if (name === "type" && words.length > 0 && words.every((word) => typeof word === "string"))
    return "unknown_type";
  return "bad_operand";
}

/** Pairs of bounds that leave nothing between them when the first is above the second. */
const BOUNDS: readonly (readonly [OperatorName, OperatorName])[] = [
  ["min", "max"],
  ["minLength", "maxLength"],
];

/** Faults bounds that nothing can keep: `min` above `max`, `minLength` above `maxLength`. */
export function checkBounds(
  operators: readonly OperatorUse[],
  path: DocumentPath,
  reading: TreeReading,
): void {
  for (const [lower, upper] of BOUNDS) {
    const least = operandOf(operators, lower);
    const most = operandOf(operators, upper);
    if (typeof least !== "number" || typeof most !== "number" || least <= most) continue;
    const message = `\`${lower}\` ${least} is above \`${upper}\` ${most}, so no value passes: swap or correct them`;
    reading.faults.error("bounds_crossed", message, [...path, lower]);
  }
}

/** The operand of an operator in a rule. */
export function operandOf(operators: readonly OperatorUse[], name: OperatorName): PolicyValue | undefined {
  return operators.find((use) => use.name === name)?.operand;
}

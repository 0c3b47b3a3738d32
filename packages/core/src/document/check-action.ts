import { canMatchEmpty, operandOf } from "./check-operators.js";
import type { ActionName, DocumentPath, OperatorName, OperatorUse } from "./document.js";
import { quoted } from "./name-characters.js";
import type { PolicyTreeMap } from "./policy-tree.js";
import type { TreeReading } from "./tree-reading.js";

export const ACTIONS = ["filter", "redact", "truncate", "deny"] as const satisfies readonly ActionName[];

const ALIASES: ReadonlyMap<string, ActionName> = new Map([
  ["mask", "redact"],
  ["hide", "redact"],
  ["censor", "redact"],
  ["anonymize", "redact"],
  ["replace", "redact"],
  ["remove", "filter"],
  ["delete", "filter"],
  ["drop", "filter"],
  ["omit", "filter"],
  ["strip", "filter"],
  ["cut", "truncate"],
  ["shorten", "truncate"],
  ["trim", "truncate"],
  ["limit", "truncate"],
  ["block", "deny"],
  ["reject", "deny"],
  ["refuse", "deny"],
  ["forbid", "deny"],
]);

/** Operators that name what a good value is without an action, and what a bad one is with one; and their opposites. */
const READ_BACKWARDS: readonly (readonly [OperatorName, OperatorName])[] = [
  ["in", "not_in"],
  ["eq", "ne"],
];

/** Checks `action` of an output rule and how it goes together with the rule's path and operators. */
export function checkAction(
  name: string,
  rule: PolicyTreeMap,
  operators: readonly OperatorUse[],
  path: DocumentPath,
  reading: TreeReading,
): ActionName | undefined {
  const at = [...path, "action"];
  const action = reading.word(rule.get("action") ?? null, at, "unknown_action", "action", ACTIONS, ALIASES);
  if (action === undefined) return undefined;
  if (action === "truncate" && !rule.has("maxLength")) {
    reading.faults.error("missing_key", "`truncate` needs `maxLength`: say how much may stay", at);
  }
  if (action === "filter" && name === "$") {
    const message = "`filter` cannot remove the returned value itself: use `redact` or `deny` on `$`";
    reading.faults.error("filter_on_root", message, at);
  }
  const pattern = operandOf(operators, "matches");
  if (action === "redact" && typeof pattern === "string" && canMatchEmpty(pattern)) {
    const message = `the pattern ${quoted(pattern)} matches the empty string, so \`redact\` would have nothing to replace: make it match at least one character`;
    reading.faults.error("empty_match", message, [...path, "matches"]);
  }
  for (const [operator, opposite] of READ_BACKWARDS) {
    if (operandOf(operators, operator) === undefined) continue;
    const message = `with an action, \`${operator}\` fires on what it names and leaves the rest alone: to act on all else write \`${opposite}\``;
    reading.faults.warning("action_reads_backwards", message, [...path, operator], {
      at: "key",
      suggestion: opposite,
    });
  }
  return action;
}

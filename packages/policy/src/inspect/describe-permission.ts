import { type FieldRule, formatDocumentPath, groupOf, type Permission } from "d2-core";
import type { Locate } from "../locate.js";
import type { DescribedPermission, DescribedRule } from "./description.js";
import type { ToolSets } from "./tool-sets.js";
import { actionWords } from "./words-actions.js";
import { globalRuleWords } from "./words-global.js";
import { joined, joinedSentences } from "./words-lists.js";
import { inputRuleWords, validationWords } from "./words-operators.js";
import { everyTool } from "./words-references.js";

/** A permission of a role: `analyst may call reports.generate when …`. */
export function describePermission(
  role: string,
  permission: Permission,
  tools: ToolSets,
  locate: Locate | undefined,
): DescribedPermission {
  const rule = formatDocumentPath(permission.at);
  const patterns = tools.patterns(permission.tool);
  const rules = permission.allow ? describeRules(permission, locate) : [];
  const what = toolsWords(permission.tool, patterns);
  const words = permission.allow
    ? `${role} may call ${what}${whenWords(rules)}`
    : `${role} may never call ${what}, whatever else grants it`;
  const effect = permission.allow ? "allow" : "forbid";
  return { rule, words, ...placeOf(rule, locate), tool: permission.tool, tools: patterns, effect, rules };
}

/** ` when …`, from the input rules among some rules. */
export function whenWords(rules: readonly DescribedRule[]): string {
  const input = rules.filter(({ kind }) => kind === "input").map(({ words }) => words);
  return input.length === 0 ? "" : ` when ${joinedSentences(input)}`;
}

export function describeRules(permission: Permission, locate: Locate | undefined): DescribedRule[] {
  const described = (kind: DescribedRule["kind"], field: FieldRule, words: string | undefined) =>
    words === undefined ? [] : [place(kind, formatDocumentPath(field.at), field.path, words, locate)];
  const checks = permission.output.filter(({ action }) => action === undefined);
  const actions = permission.output.filter(({ action }) => action !== undefined);
  return [
    ...permission.input.flatMap((field) => described("input", field, inputRuleWords(field))),
    ...checks.flatMap((field) => described("validation", field, validationWords(field))),
    ...actions.flatMap((field) => described("action", field, actionWords(field))),
    ...globalRuleWords(permission).map(({ rule, name, words }) => place("global", rule, name, words, locate)),
  ];
}

function place(
  kind: DescribedRule["kind"],
  rule: string,
  path: string,
  words: string,
  locate: Locate | undefined,
): DescribedRule {
  return { kind, path, rule, words, ...placeOf(rule, locate) };
}

/** The line and column of a document path, where they are known. */
export function placeOf(
  rule: string,
  locate: Locate | undefined,
): { readonly line?: number; readonly column?: number } {
  const found = locate?.(rule);
  return found === undefined ? {} : { line: found.line, column: found.column };
}

function toolsWords(reference: string, patterns: readonly string[]): string {
  if (groupOf(reference) === undefined) return everyTool(reference);
  return `${everyTool(reference)} (${joined(
    patterns.map((it) => `\`${it}\``),
    "and",
  )})`;
}

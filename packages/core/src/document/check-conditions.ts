import { checkAction } from "./check-action.js";
import { checkBounds, checkOperator, checkPattern } from "./check-operators.js";
import type { DocumentPath, FieldRule, GlobalRules, OperatorUse } from "./document.js";
import { quoted } from "./name-characters.js";
import { describeNode, isTreeMap, type PolicyTree, type PolicyTreeMap, UNREADABLE } from "./policy-tree.js";
import { suggestWord } from "./spelling.js";
import type { TreeReading } from "./tree-reading.js";

/** The two sides of `conditions`, checked. */
export interface Conditions {
  readonly input: readonly FieldRule[];
  readonly output: readonly FieldRule[];
  readonly global: GlobalRules;
}

const NO_RULES: readonly FieldRule[] = Object.freeze([]);
const NO_TEXTS: readonly string[] = Object.freeze([]);
const NO_GLOBAL_RULES: GlobalRules = Object.freeze({
  denyIfPatterns: NO_TEXTS,
  requireFieldsAbsent: NO_TEXTS,
});

/** What a permission without conditions has: shared, since most permissions have none. */
export const NO_CONDITIONS: Conditions = Object.freeze({
  input: NO_RULES,
  output: NO_RULES,
  global: NO_GLOBAL_RULES,
});

/** Keys of `conditions.output` that are rules for the whole output and not paths. */
export const GLOBAL_NAMES = ["deny_if_patterns", "require_fields_absent", "max_bytes"] as const;

const SIDE_ALIASES: ReadonlyMap<string, string> = new Map([
  ["args", "input"],
  ["arguments", "input"],
  ["params", "input"],
  ["request", "input"],
  ["result", "output"],
  ["returns", "output"],
  ["response", "output"],
]);

/** Checks `conditions` of a permission. */
export function checkConditions(node: PolicyTree, path: DocumentPath, reading: TreeReading): Conditions {
  const map = reading.mapping(node, path, "`conditions`");
  if (map === undefined) return NO_CONDITIONS;
  reading.knownKeys(map, path, "`conditions`", ["input", "output"], SIDE_ALIASES);
  const input = map.get("input");
  const output = map.get("output");
  return {
    input: input === undefined ? NO_RULES : checkInput(input, [...path, "input"], reading),
    ...(output === undefined
      ? { output: NO_RULES, global: NO_GLOBAL_RULES }
      : checkOutput(output, [...path, "output"], reading)),
  };
}

function checkInput(node: PolicyTree, path: DocumentPath, reading: TreeReading): readonly FieldRule[] {
  const rules: FieldRule[] = [];
  for (const [name, value] of reading.mapping(node, path, "`input`") ?? []) {
    const at = Object.freeze([...path, name]);
    const sound = checkPath(name, at, reading);
    const map = ruleMapping(name, value, at, reading, []);
    const operators = map === undefined ? undefined : checkOperators(map, at, "input", reading);
    if (sound && operators !== undefined) rules.push(Object.freeze({ path: name, operators, at }));
  }
  return Object.freeze(rules);
}

function checkOutput(
  node: PolicyTree,
  path: DocumentPath,
  reading: TreeReading,
): { readonly output: readonly FieldRule[]; readonly global: GlobalRules } {
  const output: FieldRule[] = [];
  let global: GlobalRules = NO_GLOBAL_RULES;
  for (const [name, value] of reading.mapping(node, path, "`output`") ?? []) {
    const at = Object.freeze([...path, name]);
    switch (name) {
      case "deny_if_patterns":
        global = { ...global, denyIfPatterns: checkPatterns(value, at, reading) };
        break;
      case "require_fields_absent":
        global = { ...global, requireFieldsAbsent: checkFieldNames(value, at, reading) };
        break;
      case "max_bytes": {
        const use = checkOperator(name, value, at, reading);
        if (typeof use?.operand === "number") global = { ...global, maxBytes: use.operand };
        break;
      }
      default: {
        const rule = checkOutputRule(name, value, at, reading);
        if (rule !== undefined) output.push(rule);
      }
    }
  }
  return { output: Object.freeze(output), global: Object.freeze(global) };
}

function checkOutputRule(
  name: string,
  node: PolicyTree,
  at: DocumentPath,
  reading: TreeReading,
): FieldRule | undefined {
  const sound = checkPath(name, at, reading);
  const map = ruleMapping(name, node, at, reading, GLOBAL_NAMES);
  if (map === undefined) return undefined;
  if (name.startsWith("$.")) {
    const message = `${quoted(name)} looks for a key named \`$\`: paths start at the returned value, write ${quoted(name.slice(2))}`;
    reading.faults.warning("root_in_path", message, at, { at: "key", suggestion: name.slice(2) });
  }
  const operators = checkOperators(map, at, "output", reading);
  const action = map.has("action") ? checkAction(name, map, operators, at, reading) : undefined;
  if (!sound) return undefined;
  return Object.freeze(
    action === undefined ? { path: name, operators, at } : { path: name, operators, action, at },
  );
}

/** The mapping of a rule. A misspelt rule for the whole output is told by holding no mapping. */
function ruleMapping(
  name: string,
  node: PolicyTree,
  path: DocumentPath,
  reading: TreeReading,
  globalNames: readonly string[],
): PolicyTreeMap | undefined {
  if (isTreeMap(node)) {
    if (node.size > 0) return node;
    reading.faults.warning(
      "empty_rule",
      `the rule on ${quoted(name)} checks nothing: give it an operator`,
      path,
    );
    return node;
  }
  if (node === UNREADABLE) return undefined;
  const suggestion = suggestWord(name, globalNames);
  if (suggestion === undefined) {
    const message = `the rule on ${quoted(name)} must be a mapping, not ${describeNode(node)}: write an operator, such as \`{eq: …}\``;
    reading.faults.error("wrong_type", message, path);
  } else {
    const message = `${quoted(name)} is not a rule for the whole output: did you mean \`${suggestion}\`?`;
    reading.faults.error("unknown_key", message, path, { at: "key", suggestion });
  }
  return undefined;
}

function checkOperators(
  map: PolicyTreeMap,
  path: DocumentPath,
  side: "input" | "output",
  reading: TreeReading,
): readonly OperatorUse[] {
  const operators: OperatorUse[] = [];
  for (const [key, value] of map) {
    if (key === "action" && side === "output") continue;
    const use = checkOperator(key, value, [...path, key], reading);
    if (use !== undefined) operators.push(use);
  }
  checkBounds(operators, path, reading);
  return Object.freeze(operators);
}

/** A path has no empty part: `a..b`, `.a` and `a.` reach nothing. */
function checkPath(name: string, path: DocumentPath, reading: TreeReading): boolean {
  if (!reading.wellFormed(name, path)) return false;
  if (!name.split(".").includes("")) return true;
  const message = `the path ${quoted(name)} has an empty part: write the names with one dot between them`;
  reading.faults.error("bad_path", message, path, { at: "key" });
  return false;
}

function checkPatterns(node: PolicyTree, path: DocumentPath, reading: TreeReading): readonly string[] {
  const texts = reading.texts(node, path, "`deny_if_patterns`") ?? [];
  const sound = texts.filter((item) => checkPattern(item.text, item.path, reading));
  return Object.freeze(sound.map(({ text }) => text));
}

function checkFieldNames(node: PolicyTree, path: DocumentPath, reading: TreeReading): readonly string[] {
  const texts = reading.texts(node, path, "`require_fields_absent`") ?? [];
  return Object.freeze(texts.map(({ text }) => text));
}

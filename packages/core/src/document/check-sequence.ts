import type { DocumentPath, SequenceRule, SequenceRules } from "./document.js";
import { isTreeList, type PolicyTree } from "./policy-tree.js";
import type { ToolNames } from "./tool-names.js";
import type { TreeReading } from "./tree-reading.js";

/** Steps that a pattern may have. */
export const MAX_STEPS = 16;

const MODES = ["allow", "deny"] as const;
const KINDS = ["deny", "allow"] as const;
const MODE_ALIASES: ReadonlyMap<string, "allow" | "deny"> = new Map([
  ["blocklist", "allow"],
  ["blacklist", "allow"],
  ["denylist", "allow"],
  ["allowlist", "deny"],
  ["whitelist", "deny"],
]);
const RULE_ALIASES: ReadonlyMap<string, string> = new Map([
  ["forbid", "deny"],
  ["block", "deny"],
  ["permit", "allow"],
  ["message", "reason"],
  ["description", "reason"],
  ["because", "reason"],
]);

/** Checks `sequence`: a list of rules, or a mapping with `mode` and `rules`. */
export function checkSequence(
  node: PolicyTree,
  path: DocumentPath,
  reading: TreeReading,
  tools: ToolNames,
): SequenceRules | undefined {
  const at = Object.freeze([...path]);
  if (isTreeList(node)) {
    return Object.freeze({ mode: "allow", rules: checkRules(node, path, reading, tools), at });
  }
  const map = reading.mapping(node, path, "`sequence`, where it is not a list of rules,");
  if (map === undefined) return undefined;
  reading.knownKeys(map, path, "`sequence`", ["mode", "rules"]);
  const mode = map.get("mode");
  const known =
    mode === undefined
      ? "allow"
      : reading.word(mode, [...path, "mode"], "unknown_mode", "mode", MODES, MODE_ALIASES);
  const rules = map.get("rules");
  const list = rules === undefined ? [] : reading.list(rules, [...path, "rules"], "`rules`");
  if (known === undefined || list === undefined) {
    if (list !== undefined) checkRules(list, [...path, "rules"], reading, tools);
    return undefined;
  }
  return Object.freeze({ mode: known, rules: checkRules(list, [...path, "rules"], reading, tools), at });
}

function checkRules(
  list: readonly PolicyTree[],
  path: DocumentPath,
  reading: TreeReading,
  tools: ToolNames,
): readonly SequenceRule[] {
  const rules: SequenceRule[] = [];
  for (const [index, node] of list.entries()) {
    const rule = checkRule(node, [...path, index], reading, tools);
    if (rule !== undefined) rules.push(rule);
  }
  return Object.freeze(rules);
}

function checkRule(
  node: PolicyTree,
  path: DocumentPath,
  reading: TreeReading,
  tools: ToolNames,
): SequenceRule | undefined {
  const map = reading.mapping(node, path, "a sequence rule");
  if (map === undefined) return undefined;
  const meant = reading.knownKeys(map, path, "a sequence rule", ["deny", "allow", "reason"], RULE_ALIASES);
  const reasonNode = map.get("reason");
  const reason =
    reasonNode === undefined ? undefined : reading.text(reasonNode, [...path, "reason"], "`reason`");
  const kinds = KINDS.filter((kind) => map.has(kind));
  if (kinds.length === 0 && !meant.has("deny") && !meant.has("allow")) {
    const message = "a sequence rule needs `deny` or `allow`: add one of them with a list of steps";
    reading.faults.error("missing_key", message, path);
  }
  if (kinds.length === 2) {
    const message = "a sequence rule has either `deny` or `allow`, not both: make it two rules";
    reading.faults.error("conflicting_keys", message, [...path, "allow"], { at: "key" });
  }
  let rule: SequenceRule | undefined;
  for (const kind of kinds) {
    const steps = checkSteps(map.get(kind) ?? null, [...path, kind], kind, reading, tools);
    if (steps === undefined) continue;
    const at = Object.freeze([...path]);
    rule = Object.freeze(reason === undefined ? { kind, steps, at } : { kind, steps, reason, at });
  }
  return rule;
}

function checkSteps(
  node: PolicyTree,
  path: DocumentPath,
  kind: "allow" | "deny",
  reading: TreeReading,
  tools: ToolNames,
): readonly string[] | undefined {
  const list = reading.list(node, path, `the steps of \`${kind}\``);
  if (list === undefined) return undefined;
  const steps: string[] = [];
  for (const [index, item] of list.entries()) {
    const step = tools.reference(item, [...path, index], "a step");
    if (step !== undefined) steps.push(step);
  }
  const least = kind === "deny" ? 2 : 1;
  if (list.length < least) {
    const message =
      kind === "deny"
        ? "a `deny` pattern needs at least two steps: to forbid a tool outright use a permission with `allow: false`"
        : "an `allow` pattern needs at least one step: write one or take the rule out";
    reading.faults.error("too_few_steps", message, path);
  }
  if (list.length > MAX_STEPS) {
    const message = `the pattern has ${list.length} steps and may have ${MAX_STEPS}: leave some out, gaps between steps are allowed`;
    reading.faults.error("too_many_steps", message, path);
  }
  return steps.length === list.length ? Object.freeze(steps) : undefined;
}

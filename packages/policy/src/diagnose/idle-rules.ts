import { compileToolMatcher, type Fault, type FieldRule, type PolicyDocument, quoted } from "d2-core";
import { excuseOf } from "../inspect/excuses.js";
import { type OwnedPermission, PermissionIndex } from "../inspect/permission-index.js";
import { ToolSets } from "../inspect/tool-sets.js";
import { neverFires } from "../inspect/words-actions.js";
import { joined } from "../inspect/words-lists.js";
import { everyTool } from "../inspect/words-references.js";
import { contradictionOf } from "./contradictions.js";
import { warning } from "./finding.js";
import { idleActions } from "./idle-actions.js";

/** What a document says that can never apply, never fire or never pass; the loader's own warnings are not repeated. */
export function idleRules(document: PolicyDocument): Fault[] {
  const tools = new ToolSets(document);
  const { all } = new PermissionIndex(document, tools);
  return [
    ...forbiddenGrants(all, tools),
    ...all.flatMap(({ permission }) =>
      permission.allow
        ? [
            ...permission.input.flatMap((rule) => contradictory(rule, "call")),
            ...permission.output.flatMap((rule) =>
              rule.action === undefined ? contradictory(rule, "output") : unfired(rule),
            ),
          ]
        : [],
    ),
    ...idleActions(all, tools),
    ...idlePatterns(document, tools),
  ];
}

/** Grants of which every role that has them is forbidden all the tools. */
function forbiddenGrants(all: readonly OwnedPermission[], tools: ToolSets): Fault[] {
  const byRole = new Map<string, Set<string>>();
  for (const { roles, permission } of all) {
    if (permission.allow) continue;
    for (const role of roles) {
      const patterns = byRole.get(role) ?? new Set<string>();
      for (const pattern of tools.patterns(permission.tool)) patterns.add(pattern);
      byRole.set(role, patterns);
    }
  }
  const sets = new Map([...byRole].map(([role, patterns]) => [role, compileToolMatcher(patterns)]));
  return all.flatMap(({ roles, permission }) => {
    if (!permission.allow) return [];
    const forbidden = roles.every((role) => {
      const set = sets.get(role);
      return set !== undefined && tools.isWithin(permission.tool, set);
    });
    if (!forbidden) return [];
    const { input, output, global } = permission;
    const ruled =
      input.length > 0 ||
      output.length > 0 ||
      global.denyIfPatterns.length > 0 ||
      global.requireFieldsAbsent.length > 0 ||
      global.maxBytes !== undefined;
    const who = joined(roles.map(quoted), "and");
    const what = everyTool(permission.tool);
    const message = `${who} ${roles.length === 1 ? "is" : "are"} forbidden ${what} by \`allow: false\`, so this grant${ruled ? " and its rules never apply" : " never applies"}: keep one of the two`;
    return [warning("grant_forbidden", message, permission.at)];
  });
}

function contradictory(rule: FieldRule, what: "call" | "output"): Fault[] {
  const why = contradictionOf(rule);
  if (why === undefined) return [];
  const required = rule.operators.some(({ name, operand }) => name === "required" && operand === true);
  const unless = required ? "" : ` that has ${quoted(rule.path)}`;
  const message = `no value of ${quoted(rule.path)} passes, since ${why}: every ${what}${unless} is denied`;
  return [warning("no_value_passes", message, rule.at, { at: "key" })];
}

function unfired(rule: FieldRule): Fault[] {
  if (!neverFires(rule)) return [];
  const message = `the action on ${quoted(rule.path)} never fires, since none of its operators ever says so: take the operators out to let it always fire`;
  return [warning("action_never_fires", message, rule.at, { at: "key" })];
}

/** Allow patterns of roles without `mode: deny`, which only excuse deny patterns, and excuse none. */
function idlePatterns(document: PolicyDocument, tools: ToolSets): Fault[] {
  const entriesOf = (role: string) => document.policies.filter((entry) => entry.roles.includes(role));
  const isIdle = (role: string, steps: readonly string[]) => {
    const sequences = entriesOf(role).flatMap(({ sequence }) => (sequence === undefined ? [] : [sequence]));
    if (sequences.some(({ mode }) => mode === "deny")) return false;
    const denied = sequences.flatMap(({ rules }) => rules.filter(({ kind }) => kind === "deny"));
    return !denied.some((rule) => excuseOf(rule.steps, steps, tools) !== undefined);
  };
  return document.policies.flatMap(({ roles, sequence }) =>
    (sequence?.rules ?? []).flatMap((rule) => {
      if (rule.kind !== "allow" || !roles.every((role) => isIdle(role, rule.steps))) return [];
      const message =
        "without `mode: deny` an allow pattern only excuses deny patterns, and this one excuses none: write `mode: deny` to permit nothing but what is allowed, or take it out";
      return [warning("allow_excuses_nothing", message, rule.at)];
    }),
  );
}

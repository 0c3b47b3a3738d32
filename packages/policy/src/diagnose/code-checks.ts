import {
  compareCodePoints,
  compileToolMatcher,
  type Diagnostic,
  type DocumentPath,
  type Fault,
  type FieldRule,
  type PolicyDocument,
  quoted,
  suggestWord,
} from "d2-core";
import { counted } from "../counted.js";
import { isExact, type OwnedPermission, PermissionIndex } from "../inspect/permission-index.js";
import { ToolSets } from "../inspect/tool-sets.js";
import { joined } from "../inspect/words-lists.js";
import { warning } from "./finding.js";
import type { FoundCode, FoundTool } from "./found-code.js";

/** Tools for which a similar name is looked for: that takes long, and where so many differ it is of no use. */
const MAX_SUGGESTED = 200;

/** What a policy and the program that it is for say differently. */
export interface CodeFindings {
  /** About the policy. */
  readonly faults: readonly Fault[];
  /** About the program. */
  readonly diagnostics: readonly Diagnostic[];
}

export function checkCode(document: PolicyDocument, code: FoundCode): CodeFindings {
  const tools = new ToolSets(document);
  const { all } = new PermissionIndex(document, tools);
  const named = namedTools(document);
  return {
    faults: [...unguarded(named, code), ...unknownArguments(all, tools, code)],
    diagnostics: unmentioned(all, tools, named, code),
  };
}

/** Tools that are guarded, and that no permission is about. */
function unmentioned(
  all: readonly OwnedPermission[],
  tools: ToolSets,
  named: ReadonlyMap<string, DocumentPath>,
  code: FoundCode,
): Diagnostic[] {
  const mentioned = compileToolMatcher(all.flatMap(({ permission }) => tools.patterns(permission.tool)));
  const guarded = new Set(code.tools.map(({ tool }) => tool));
  // A tool of the policy that the program guards as well is not what was meant.
  const free = [...named.keys()].filter((name) => !guarded.has(name));
  const missing = code.tools.filter(({ tool }) => !mentioned.matches(tool)).sort(byPlace);
  return missing.map(({ tool, file, line, column }, at) => {
    const suggestion = at < MAX_SUGGESTED ? suggestWord(tool, free) : undefined;
    const hint = suggestion === undefined ? "grant it to a role" : `did you mean ${quoted(suggestion)}?`;
    const message = `no permission is about ${quoted(tool)}, so every call of it is denied (\`missing_policy\`): ${hint}`;
    const place = { file, line, column, path: "", documentPath: [] };
    const bare: Diagnostic = { severity: "warning", code: "tool_not_in_policy", message, ...place };
    return suggestion === undefined ? bare : { ...bare, suggestion };
  });
}

function byPlace(one: FoundTool, other: FoundTool): number {
  return (
    compareCodePoints(one.file, other.file) ||
    one.line - other.line ||
    one.column - other.column ||
    compareCodePoints(one.tool, other.tool)
  );
}

/** Tools that the policy names by their ids, each with where it does so first; in permissions rather than elsewhere. */
function namedTools(document: PolicyDocument): ReadonlyMap<string, DocumentPath> {
  const named = new Map<string, DocumentPath>();
  const name = (tool: string, path: DocumentPath) => {
    if (isExact(tool) && !named.has(tool)) named.set(tool, path);
  };
  for (const { permissions } of document.policies) for (const { tool, at } of permissions) name(tool, at);
  for (const { tools, at } of document.toolGroups) for (const tool of tools) name(tool, at);
  for (const { tool, at } of document.labels) name(tool, at);
  for (const { tools, at } of document.blocks) for (const tool of tools) name(tool, at);
  for (const { sequence } of document.policies) {
    for (const { steps, at } of sequence?.rules ?? []) for (const step of steps) name(step, at);
  }
  return named;
}

/** Tools that the policy names, and that nothing guards. */
function unguarded(named: ReadonlyMap<string, DocumentPath>, code: FoundCode): Fault[] {
  if (code.scanned === 0 || named.size === 0) return [];
  const files = counted(code.scanned, "file");
  const maybe = dynamicWords(code);
  if (code.tools.length === 0) {
    const message = `no guarded tool was found in ${files}, so the policy could not be compared with the program${maybe}`;
    return [warning("no_tools_found", message, ["policies"], { at: "key" })];
  }
  const guarded = new Set(code.tools.map(({ tool }) => tool));
  const missing = [...guarded].filter((tool) => !named.has(tool));
  const lacking = [...named].filter(([tool]) => !guarded.has(tool));
  return lacking.map(([tool, path], at) => {
    const suggestion = at < MAX_SUGGESTED ? suggestWord(tool, missing) : undefined;
    const hint = suggestion === undefined ? maybe : `: did you mean ${quoted(suggestion)}?`;
    const message = `${quoted(tool)} is guarded nowhere in the ${files} that were looked at${hint}`;
    return warning("tool_not_in_code", message, path);
  });
}

/** Guards whose tool id is not known might guard any tool. */
function dynamicWords({ dynamic }: FoundCode): string {
  const [first] = dynamic;
  if (first === undefined) return "";
  const place = `${first.file}:${first.line}:${first.column}`;
  return dynamic.length === 1
    ? `; the guard at ${place}, whose id is worked out at run time, may be for it`
    : `; one of the ${dynamic.length} guards whose ids are worked out at run time may be for it, such as at ${place}`;
}

/** Input rules on arguments that the functions do not have. */
function unknownArguments(all: readonly OwnedPermission[], tools: ToolSets, code: FoundCode): Fault[] {
  const found: Fault[] = [];
  for (const { permission } of all) {
    if (!permission.allow || permission.input.length === 0) continue;
    const about = code.tools.filter(({ tool }) => tools.matcher(permission.tool).matches(tool));
    for (const rule of permission.input) {
      const lacking = about.filter((tool) => lacks(tool, rule.path)).sort(byPlace);
      const [first] = lacking;
      // A rule on many tools has its use as soon as one of them may have the argument.
      if (first === undefined || (!isExact(permission.tool) && lacking.length < about.length)) continue;
      const names = namesOf(first) ?? [];
      const [head = "", ...rest] = rule.path.split(".");
      const near = suggestWord(head, names);
      const suggestion = near === undefined ? undefined : [near, ...rest].join(".");
      const has =
        names.length === 0 ? "takes no arguments" : `takes only ${joined(names.map(quoted), "and")}`;
      const hint = suggestion === undefined ? "" : `: did you mean ${quoted(suggestion)}?`;
      const place = `${first.file}:${first.line}:${first.column}`;
      const so = refuses(rule, first, isExact(permission.tool))
        ? "every call is denied"
        : "the rule never applies";
      const message = `${quoted(first.tool)} at ${place} ${has}, not ${quoted(rule.path)}, so ${so}${hint}`;
      found.push(warning("argument_not_in_code", message, rule.at, { at: "key", suggestion }));
    }
  }
  return found;
}

/** Whether a rule on an argument that there is not denies the call. */
function refuses(rule: FieldRule, { argument }: FoundTool, exact: boolean): boolean {
  // A positional call has the names that the guard was given: a rule on the tool's own id must find its argument there.
  if (argument === "positional") return exact;
  return rule.operators.some(({ name, operand }) => name === "required" && operand === true);
}

/** The names of a function's arguments, where all of them are known. */
function namesOf({ params, argument, closed }: FoundTool): readonly string[] | undefined {
  if (argument === "none") return [];
  return closed === true ? params : undefined;
}

/** A path may begin with a name that has dots in it. */
function lacks(tool: FoundTool, path: string): boolean {
  const names = namesOf(tool);
  return names !== undefined && !names.some((name) => path === name || path.startsWith(`${name}.`));
}

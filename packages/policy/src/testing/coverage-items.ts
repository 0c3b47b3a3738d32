import {
  type FieldRule,
  formatDocumentPath,
  type OperatorName,
  type Permission,
  type PolicyDocument,
} from "d2-core";
import { operatorWords } from "../explain/consulted-rules.js";
import type { CoverageKind } from "./coverage.js";

/** What a coverage item is before any test has run. */
export interface ItemDraft {
  /** Tells it from all others; see the functions below. */
  readonly key: string;
  readonly kind: CoverageKind;
  readonly rule: string;
  readonly words: string;
  readonly outcomes: readonly string[];
}

/** The keys of items, which whoever sees an outcome makes again from what it knows. */
export const itemKey = {
  role: (name: string) => `role ${name}`,
  rule: (rule: string) => `rule ${rule}`,
  /** The list of what may follow, in `mode: deny`. */
  mode: (rule: string) => `mode ${rule}`,
  operator: (rule: string, operator: string) => `operator ${rule} ${operator}`,
  global: (rule: string, operand: unknown) => `global ${rule} ${JSON.stringify(operand)}`,
};

/** Everything that a policy says and tests can see it do. */
export function coverageItems(document: PolicyDocument): ItemDraft[] {
  const roles = new Map<string, ItemDraft>();
  const modes = new Map<string, ItemDraft>();
  const rest: ItemDraft[] = [];
  for (const entry of document.policies) {
    for (const role of entry.roles) {
      const key = itemKey.role(role);
      if (roles.has(role)) continue;
      const rule = formatDocumentPath(entry.at);
      roles.set(role, { key, kind: "role", rule, words: `the role \`${role}\``, outcomes: ["used"] });
    }
    for (const permission of entry.permissions) rest.push(...permissionItems(permission));
    for (const { kind, steps, at } of entry.sequence?.rules ?? []) {
      const rule = formatDocumentPath(at);
      const words = `${kind === "deny" ? "not" : "fine"}: ${steps.map((step) => `\`${step}\``).join(", then ")}`;
      const outcomes = kind === "deny" ? ["fired", "passed"] : ["used"];
      rest.push({ key: itemKey.rule(rule), kind: "sequence_rule", rule, words, outcomes });
    }
  }
  for (const { rule, roles: names } of allowLists(document)) {
    const words = `only what is listed may follow, for ${names.map((name) => `\`${name}\``).join(", ")}`;
    modes.set(rule, { key: itemKey.mode(rule), kind: "sequence_rule", rule, words, outcomes: ["fired"] });
  }
  for (const { tool, labels, at } of document.labels) {
    const rule = formatDocumentPath(at);
    const words = `\`${tool}\` gives ${labels.map((label) => `\`${label}\``).join(", ")}`;
    rest.push({ key: itemKey.rule(rule), kind: "label", rule, words, outcomes: ["given"] });
  }
  for (const { label, tools, at } of document.blocks) {
    const rule = formatDocumentPath(at);
    const words = `\`${label}\` blocks ${tools.map((tool) => `\`${tool}\``).join(", ")}`;
    rest.push({ key: itemKey.rule(rule), kind: "block", rule, words, outcomes: ["blocked", "passed"] });
  }
  return [...roles.values(), ...rest, ...modes.values()];
}

/** Where roles in `mode: deny` have their first `sequence`, which is what decisions name. */
function allowLists(
  document: PolicyDocument,
): { readonly rule: string; readonly roles: readonly string[] }[] {
  const names = new Set(document.policies.flatMap(({ roles }) => roles));
  const lists = new Map<string, string[]>();
  for (const name of names) {
    const own = document.policies.filter(
      ({ roles, sequence }) => sequence !== undefined && roles.includes(name),
    );
    const first = own[0]?.sequence;
    if (first === undefined || !own.some(({ sequence }) => sequence?.mode === "deny")) continue;
    const rule = formatDocumentPath(first.at);
    lists.set(rule, [...(lists.get(rule) ?? []), name]);
  }
  return [...lists].map(([rule, roles]) => ({ rule, roles }));
}

function permissionItems({ tool, allow, input, output, global, at }: Permission): ItemDraft[] {
  const rule = formatDocumentPath(at);
  const key = itemKey.rule(rule);
  if (!allow) {
    return [{ key, kind: "denial", rule, words: `\`${tool}\` is forbidden`, outcomes: ["forbade"] }];
  }
  const items: ItemDraft[] = [
    { key, kind: "permission", rule, words: `\`${tool}\` is granted`, outcomes: ["granted"] },
    ...input.flatMap((field) => operatorItems("input_rule", field)),
    ...output.flatMap((field) =>
      field.action === undefined ? operatorItems("output_rule", field) : actionItem(field),
    ),
  ];
  const globalItem = (name: string, operand: unknown, words: string): void => {
    const place = formatDocumentPath([...at, "conditions", "output", name]);
    const outcomes = ["fired", "passed"];
    items.push({ key: itemKey.global(place, operand), kind: "global_rule", rule: place, words, outcomes });
  };
  for (const pattern of global.denyIfPatterns) {
    globalItem("deny_if_patterns", pattern, `a result in which \`${pattern}\` is found is refused`);
  }
  for (const name of global.requireFieldsAbsent) {
    globalItem("require_fields_absent", name, `a result with a key \`${name}\` is refused`);
  }
  if (global.maxBytes !== undefined) {
    globalItem("max_bytes", global.maxBytes, `a result of more than ${global.maxBytes} bytes is refused`);
  }
  return items;
}

function operatorItems(kind: "input_rule" | "output_rule", { path, operators, at }: FieldRule): ItemDraft[] {
  const rule = formatDocumentPath(at);
  return operators
    .filter(({ name, operand }) => name !== "required" || operand === true)
    .map(({ name, operand }) => ({
      key: itemKey.operator(rule, name),
      kind,
      rule,
      words: `\`${path}\` must be ${operatorText(name, operand)}`,
      outcomes: ["satisfied", "violated"],
    }));
}

function operatorText(name: OperatorName, operand: unknown): string {
  return name === "required" ? "present and not null" : operatorWords(name, operand);
}

function actionItem({ path, operators, action, at }: FieldRule): ItemDraft {
  const rule = formatDocumentPath(at);
  const certain = operators.length === 0;
  const when = certain ? "" : `, depending on ${operators.map(({ name }) => `\`${name}\``).join(", ")}`;
  const words = `\`${action ?? ""}\` on \`${path}\`${when}`;
  const outcomes = certain ? ["fired"] : ["fired", "left alone"];
  return { key: itemKey.rule(rule), kind: "action", rule, words, outcomes };
}

import type { Logger } from "d2-sdk";

export const ROLES = 50;
export const TOOLS = 1000;

/** The role that the user of the benchmarks holds. */
export const ROLE = "role_07";

/** Tool `index` of the large policy. */
export function toolId(index: number): string {
  return `area_${index % 25}.tool_${index}`;
}

/** Whether role `role` of the large policy grants tool `tool`: each grants every other one. */
function grants(role: number, tool: number): boolean {
  return (role * 7 + tool * 13 + (tool >> 3)) % 2 === 0;
}

function roleName(role: number): string {
  return `role_${String(role).padStart(2, "0")}`;
}

/** The roles of the large policy, each with the tools that it grants. */
export const ROLE_TOOLS: readonly (readonly [role: string, tools: readonly string[]])[] = Array.from(
  { length: ROLES },
  (_, role) => [roleName(role), toolsOf((tool) => grants(role, tool))],
);

/** Tools that `ROLE` may call, and those it may not. */
export const GRANTED: readonly string[] = toolsOf((tool) => grants(7, tool));
export const NOT_GRANTED: readonly string[] = toolsOf((tool) => !grants(7, tool));

/** The same row of numbers below `limit` every time, without order. */
export function shuffled(count: number, limit: number): number[] {
  let seed = 12_345;
  return Array.from({ length: count }, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * limit);
  });
}

function toolsOf(keep: (tool: number) => boolean): string[] {
  return Array.from({ length: TOOLS }, (_, tool) => tool)
    .filter(keep)
    .map(toolId);
}

/** A permission with or without conditions, as a policy has it. */
export type PermissionSource = string | { readonly tool: string; readonly conditions: object };

export interface PolicyExtras {
  readonly metadata?: object;
  /** Added to the permissions of `ROLE`. */
  readonly permissions?: readonly PermissionSource[];
  /** The sequence rules of `ROLE`. */
  readonly sequence?: readonly object[];
}

/** 50 roles x 1,000 tools: each role grants every other tool. */
export function largePolicy(extras: PolicyExtras = {}): object {
  const policies = Array.from({ length: ROLES }, (_, role) => {
    const permissions: PermissionSource[] = toolsOf((tool) => grants(role, tool));
    if (roleName(role) !== ROLE) return { role: roleName(role), permissions };
    permissions.push(...(extras.permissions ?? []));
    const { sequence } = extras;
    return { role: ROLE, permissions, ...(sequence === undefined ? {} : { sequence }) };
  });
  return { version: 1, metadata: { name: "bench", ...extras.metadata }, policies };
}

/** The same as the text that a person would write: about 500 kB. */
export function largePolicyText(): string {
  const lines = ["version: 1", "metadata:", "  name: bench", "policies:"];
  for (let role = 0; role < ROLES; role += 1) {
    lines.push(`  - role: ${roleName(role)}`, "    permissions:");
    for (let tool = 0; tool < TOOLS; tool += 1) if (grants(role, tool)) lines.push(`      - ${toolId(tool)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Groups of `rulesPolicy`, each of ten tools that no other group has. */
const GROUPS = 100;

export function groupName(group: number): string {
  return `group_${String(group % GROUPS).padStart(2, "0")}`;
}

type SequenceRuleSource = { readonly deny: readonly string[] } | { readonly allow: readonly string[] };

/** 50 sequence rules of a role: pairs of groups that may not follow each other, every fourth with an excuse. */
function sequenceRules(role: number): SequenceRuleSource[] {
  const group = (index: number): string => `@${groupName(index + role)}`;
  return Array.from({ length: 50 }, (_, rule) => {
    if (rule % 5 < 4) return { deny: [group(2 * rule), group(2 * rule + 1)] };
    return { allow: [group(2 * rule - 2), group(2 * rule), group(2 * rule - 1)] };
  });
}

/** In four roles a rule that is gone, one in the place of another, one more, and all excuses gone. */
function editedRules(role: number): SequenceRuleSource[] {
  const rules = sequenceRules(role);
  switch (role) {
    case 3:
      return rules.slice(1);
    case 10:
      return [...rules.slice(1), { deny: [60, 61, 62].map((group) => `@${groupName(group)}`) }];
    case 20:
      return [...rules, { deny: [5, 50].map((group) => `@${groupName(group)}`) }];
    case 30:
      return rules.filter((rule) => "deny" in rule);
  }
  return rules;
}

/** 50 roles x 1,000 tools x 50 sequence rules over disjoint groups, and a label that blocks. `edited`: with a few rules changed. */
export function rulesPolicy(edited = false): object {
  const groups = Array.from({ length: GROUPS }, (_, group) => [
    groupName(group),
    toolsOf((tool) => tool % GROUPS === group),
  ]);
  const policies = ROLE_TOOLS.map(([role, permissions], index) => ({
    role,
    permissions,
    sequence: edited ? editedRules(index) : sequenceRules(index),
  }));
  const flow = { labels: { "@group_00": ["PII"] }, blocks: { PII: ["@group_02"] } };
  const metadata = { name: "rules", tool_groups: Object.fromEntries(groups), data_flow: flow };
  return { version: 1, metadata, policies };
}

export const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  return;
}

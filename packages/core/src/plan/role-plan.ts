import type { FieldRule, Permission, PolicyDocument } from "../document/document.js";
import { formatDocumentPath } from "../document/fault.js";
import type { ToolMatcher } from "../document/tool-reference.js";
import type { RoleRules } from "../sequence/program.js";

/** A permission with conditions, or one that forbids: what cannot be said by a bit. */
export interface SpecialPermission {
  readonly matcher: ToolMatcher;
  /** The permission names one exact tool id. */
  readonly exact: boolean;
  readonly permission: Permission;
  /** Place among all permissions of the document. */
  readonly order: number;
}

/** What one role may do. Plain grants of exact ids, the bulk of a large policy, are bits over the plan's tools. */
export interface RolePlan {
  /** Bit i: the role grants tool i without conditions. */
  readonly granted: Uint32Array;
  /** Plain grants of prefixes, groups and `*`. */
  readonly patterns: readonly ToolMatcher[];
  readonly conditioned: readonly SpecialPermission[];
  readonly forbidden: readonly SpecialPermission[];
  readonly sequence: RoleRules | undefined;
}

/** Everything the document says of its roles, in a form that is small to keep. */
export interface RolePlans {
  /** Exact tool ids of plain grants, with the number of their bit. */
  readonly tools: ReadonlyMap<string, number>;
  readonly roles: ReadonlyMap<string, RolePlan>;
  /** Whether any permission of any role matches the tool. */
  mentions(tool: string): boolean;
}

interface Draft {
  grants: number[];
  patterns: ToolMatcher[];
  conditioned: SpecialPermission[];
  forbidden: SpecialPermission[];
  listed: boolean;
  at: string | undefined;
  rules: RoleRules["rules"][number][];
}

export function compileRoles(
  document: PolicyDocument,
  matcher: (reference: string) => ToolMatcher,
): RolePlans {
  const tools = new Map<string, number>();
  const drafts = new Map<string, Draft>();
  const wide: ToolMatcher[] = [];
  let order = 0;
  for (const entry of document.policies) {
    const own = entry.roles.map((role) => draftOf(drafts, role));
    for (const permission of entry.permissions) {
      order += 1;
      const exact = isExact(permission.tool);
      if (exact && isPlain(permission)) {
        const bit = bitOf(tools, permission.tool);
        for (const draft of own) draft.grants.push(bit);
        continue;
      }
      const found = matcher(permission.tool);
      wide.push(found);
      for (const draft of own) {
        const special = { matcher: found, exact, permission, order };
        if (!permission.allow) draft.forbidden.push(special);
        else if (isPlain(permission)) draft.patterns.push(found);
        else draft.conditioned.push(special);
      }
    }
    if (entry.sequence === undefined) continue;
    for (const draft of own) {
      draft.listed ||= entry.sequence.mode === "deny";
      draft.at ??= formatDocumentPath(entry.sequence.at);
      draft.rules.push(...entry.sequence.rules);
    }
  }
  const roles = new Map([...drafts].map(([role, draft]) => [role, finish(draft, tools.size)]));
  return { tools, roles, mentions: (tool) => tools.has(tool) || wide.some((it) => it.matches(tool)) };
}

/** Whether the reference is one tool id, neither a group nor a pattern. */
export function isExact(reference: string): boolean {
  return !reference.startsWith("@") && !reference.includes("*");
}

function isPlain(permission: Permission): boolean {
  return permission.allow && permission.input.length === 0 && !hasOutputRules(permission);
}

export function hasOutputRules(permission: Permission): boolean {
  const { output, global } = permission;
  return (
    output.length > 0 ||
    global.denyIfPatterns.length > 0 ||
    global.requireFieldsAbsent.length > 0 ||
    global.maxBytes !== undefined
  );
}

/** The input rules of a permission, each with whether it stands under the exact tool id. */
export function inputRules(special: SpecialPermission): { rule: FieldRule; exact: boolean }[] {
  return special.permission.input.map((rule) => ({ rule, exact: special.exact }));
}

export function hasBit(bits: Uint32Array, bit: number): boolean {
  return ((bits[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
}

function bitOf(tools: Map<string, number>, tool: string): number {
  const known = tools.get(tool);
  if (known !== undefined) return known;
  tools.set(tool, tools.size);
  return tools.size - 1;
}

function draftOf(drafts: Map<string, Draft>, role: string): Draft {
  const known = drafts.get(role);
  if (known !== undefined) return known;
  const draft: Draft = {
    grants: [],
    patterns: [],
    conditioned: [],
    forbidden: [],
    listed: false,
    at: undefined,
    rules: [],
  };
  drafts.set(role, draft);
  return draft;
}

function finish(draft: Draft, tools: number): RolePlan {
  const granted = new Uint32Array((tools + 31) >>> 5);
  for (const bit of draft.grants) granted[bit >>> 5] = (granted[bit >>> 5] ?? 0) | (1 << (bit & 31));
  const { patterns, conditioned, forbidden, listed, at, rules } = draft;
  const sequence = at === undefined ? undefined : { allowListed: listed, at, rules };
  return { granted, patterns, conditioned, forbidden, sequence };
}

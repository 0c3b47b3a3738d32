import { compareCodePoints } from "../canonical/code-point-order.js";
import type { PolicyDocument, SequenceRule } from "../document/document.js";
import type { SequencePattern } from "./sequence-gate.js";

/** The tool patterns that a tool reference stands for. */
export type Tools = (reference: string) => readonly string[];

/** Everything that a document says of one role, its entries together, groups resolved. */
export interface RoleRules {
  readonly name: string;
  readonly granted: readonly string[];
  readonly forbidden: readonly string[];
  /** Whether an allow pattern must permit every call. */
  readonly allowListed: boolean;
  readonly rules: readonly SequencePattern[];
}

/** Looks references up in the document's groups. */
export function toolsOf(document: PolicyDocument): Tools {
  const groups = new Map(document.toolGroups.map((group) => [`@${group.name}`, group.tools]));
  return (reference) => groups.get(reference) ?? [reference];
}

/** The rules of every role of the document, by the order of their names. */
export function collectRoles(document: PolicyDocument, tools: Tools): readonly RoleRules[] {
  const names = new Set(document.policies.flatMap((entry) => entry.roles));
  return [...names].sort(compareCodePoints).map((name) => {
    const entries = document.policies.filter((entry) => entry.roles.includes(name));
    const permissions = entries.flatMap((entry) => entry.permissions);
    const patterns = (allowed: boolean): readonly string[] =>
      permissions.filter(({ allow }) => allow === allowed).flatMap((permission) => tools(permission.tool));
    return {
      name,
      granted: patterns(true),
      forbidden: patterns(false),
      allowListed: entries.some(({ sequence }) => sequence?.mode === "deny"),
      rules: entries.flatMap(({ sequence }) => (sequence?.rules ?? []).map((rule) => patternOf(rule, tools))),
    };
  });
}

function patternOf({ kind, steps, reason }: SequenceRule, tools: Tools): SequencePattern {
  const resolved = steps.map(tools);
  const words = reason === undefined ? {} : { reason };
  return kind === "deny" ? { deny: resolved, ...words } : { allow: resolved, ...words };
}

import { compileToolMatcher, type PolicyDocument } from "d2-core";
import type { Locate } from "../locate.js";
import { describeRules, whenWords } from "./describe-permission.js";
import { describeSequences, modeOf } from "./describe-role.js";
import type { DescribedUser, MergedTool } from "./description.js";
import { PermissionIndex } from "./permission-index.js";
import { covers, type ToolSets } from "./tool-sets.js";
import { joined } from "./words-lists.js";
import { everyTool } from "./words-references.js";

/** What binds a user who holds all of some roles: one `allow: false` forbids, and the guardrails of all roles add up. */
export function describeUser(
  document: PolicyDocument,
  asked: readonly string[],
  tools: ToolSets,
  locate: Locate | undefined,
): DescribedUser {
  const names = new Set(asked);
  const known = new Set(document.policies.flatMap(({ roles }) => roles));
  const roles = [...known].filter((role) => names.has(role));
  const held = new Set(roles);
  const entries = document.policies.filter((entry) => entry.roles.some((role) => held.has(role)));
  const mode = modeOf(entries);
  const entriesOf = (role: string) => document.policies.filter((entry) => entry.roles.includes(role));
  return {
    roles,
    tools: mergedTools(document, held, tools, locate),
    ...(mode === undefined ? {} : { mode }),
    allowListed: roles.filter((role) => modeOf(entriesOf(role)) === "deny"),
    sequences: roles.flatMap((role) =>
      describeSequences(entriesOf(role), tools, locate).map((sequence) => ({ ...sequence, role })),
    ),
  };
}

function mergedTools(
  document: PolicyDocument,
  held: ReadonlySet<string>,
  tools: ToolSets,
  locate: Locate | undefined,
): MergedTool[] {
  const index = new PermissionIndex(document, tools);
  const own = index.all.filter(({ roles }) => roles.some((role) => held.has(role)));
  const forbidden = [
    ...new Set(own.flatMap(({ permission }) => (permission.allow ? [] : tools.patterns(permission.tool)))),
  ];
  const forbiddenSet = compileToolMatcher(forbidden);
  return index.patterns(held).map((pattern): MergedTool => {
    const about = index.covering(pattern).filter(({ roles }) => roles.some((role) => held.has(role)));
    const allow = !covers(forbiddenSet, pattern);
    const deciding = about.filter(({ permission }) => permission.allow === allow);
    const rules = allow
      ? deciding.flatMap(({ permission, roles }) =>
          describeRules(permission, locate).map((rule) => ({
            ...rule,
            roles: roles.filter((role) => held.has(role)),
          })),
        )
      : [];
    const roles = [...held].filter((role) => deciding.some((owned) => owned.roles.includes(role)));
    const except = allow && pattern.endsWith("*") ? inside(pattern, forbidden) : [];
    const but = except.length === 0 ? "" : `, except ${joined(except.map(everyTool), "and")},`;
    const who = joined(roles, "and");
    const words = allow
      ? `may call ${everyTool(pattern)}${whenWords(rules) === "" ? but.replace(/,$/, "") : but}${whenWords(rules)}`
      : `may never call ${everyTool(pattern)}: ${who} ${roles.length === 1 ? "forbids" : "forbid"} it`;
    return { tool: pattern, effect: allow ? "allow" : "forbid", roles, except, rules, words };
  });
}

/** The patterns whose tools are some of those of a wider one. */
function inside(wider: string, patterns: readonly string[]): string[] {
  const set = compileToolMatcher([wider]);
  return patterns.filter((pattern) => covers(set, pattern));
}

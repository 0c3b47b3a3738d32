import { formatDocumentPath, type PolicyDocument } from "d2-core";
import type { Locate } from "../locate.js";
import { describePermission, placeOf } from "./describe-permission.js";
import type { DescribedRole, DescribedSequence } from "./description.js";
import { excuseOf } from "./excuses.js";
import type { ToolSets } from "./tool-sets.js";
import { allowPatternWords, denyPatternWords, excusingWords } from "./words-sequences.js";

/** What the entries of a role say together. */
export function describeRole(
  document: PolicyDocument,
  role: string,
  tools: ToolSets,
  locate: Locate | undefined,
): DescribedRole {
  const entries = document.policies.filter(({ roles }) => roles.includes(role));
  const permissions = entries.flatMap((entry) =>
    entry.permissions.map((permission) => describePermission(role, permission, tools, locate)),
  );
  const mode = modeOf(entries);
  return {
    role,
    permissions,
    ...(mode === undefined ? {} : { mode }),
    sequences: describeSequences(entries, tools, locate),
  };
}

type Entries = PolicyDocument["policies"];

/** One `mode: deny` makes it deny. Absent: there are no sequence rules. */
export function modeOf(entries: Entries): "allow" | "deny" | undefined {
  const modes = entries.flatMap(({ sequence }) => (sequence === undefined ? [] : [sequence.mode]));
  if (modes.length === 0) return undefined;
  return modes.includes("deny") ? "deny" : "allow";
}

/** The patterns of one role: first what is denied, then what is allowed. */
export function describeSequences(
  entries: Entries,
  tools: ToolSets,
  locate: Locate | undefined,
): DescribedSequence[] {
  const rules = entries.flatMap(({ sequence }) => sequence?.rules ?? []);
  const denied = rules.filter(({ kind }) => kind === "deny");
  const allowed = rules.filter(({ kind }) => kind === "allow");
  const listed = modeOf(entries) === "deny";
  const excusing = (steps: readonly string[]) =>
    denied.some((deny) => excuseOf(deny.steps, steps, tools) !== undefined);
  const described = (kind: "allow" | "deny", at: (typeof rules)[number]["at"], words: string) => {
    const rule = formatDocumentPath(at);
    return { kind, rule, words, ...placeOf(rule, locate) };
  };
  return [
    ...denied.map((rule) => described("deny", rule.at, denyPatternWords(rule, allowed, tools))),
    ...allowed.map((rule) =>
      described(
        "allow",
        rule.at,
        listed ? allowPatternWords(rule) : excusingWords(rule, excusing(rule.steps)),
      ),
    ),
  ];
}

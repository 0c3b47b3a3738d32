import { compilePlan, formatDocumentPath } from "d2-core";
import type { LoadedPolicy } from "../load-policy.js";
import type { Locate } from "../locate.js";
import { toolUniverse, type UniverseTool } from "../reach/tool-universe.js";
import { addBlockChanges } from "./block-changes.js";
import { ChangeList, type RulesAtWork } from "./change-list.js";
import { GuardrailComparison } from "./guardrail-changes.js";
import { permissionChange } from "./permission-changes.js";
import type { PolicyChange, PolicyDiff, RulePlace } from "./policy-diff.js";
import { PolicySide } from "./policy-side.js";
import { addReasonChanges } from "./reason-changes.js";
import { roleChange } from "./role-changes.js";
import { SequenceComparison } from "./sequence-changes.js";

/** Pairs of states that the search for sequences looks at for one user, when nothing else is asked. */
export const DEFAULT_MAX_STATES = 20_000;

export interface DiffOptions {
  /** Users with several roles to compare as well, each by the roles that they hold. Default: none. */
  readonly roles?: readonly (readonly string[])[] | undefined;
  /**
   * Bound of the search for sequences, in pairs of states a user. Default 20,000. All users together also share 50,000 calls
   * tried, fewer where many rules follow each, so that large policies are answered in seconds; a search that stops at either
   * says so.
   */
  readonly maxStates?: number | undefined;
  /** Places of rules in the text of the old policy, and of the new one. */
  readonly locateBefore?: Locate | undefined;
  readonly locateAfter?: Locate | undefined;
}

/**
 * What changed between two policies in what they decide. Every role is compared as a user who holds that role alone, with
 * all tools that either policy can tell apart.
 *
 * What is promised, for users with one role and calls made one after the other: where the new policy allows a call that
 * the old one would refuse after the same calls with the same arguments, or releases an output that the old one would
 * refuse or clean more, some change is `loosened` or `changed`, and `mayLoosen` is true. The converse does not hold: a rule that another
 * makes needless counts as a change when it goes.
 *
 * For users with several roles that holds of the role sets in `roles`. Of other sets: permissions and `allow: false` are
 * told role by role and add up, and so do guardrails of a tool for as long as the roles go on granting it (a role that loses a
 * tool takes its guardrails on that tool with it, and a role that is removed takes its sequence rules too). Deny patterns
 * are searched as well with tools from elsewhere (`together`), since they bind whoever holds the role. Not searched are allow
 * lists (`mode: deny`) of several roles together, and the order of output actions that several roles bring: name those
 * sets in `roles`.
 */
export function diffPolicies(
  before: LoadedPolicy,
  after: LoadedPolicy,
  options: DiffOptions = {},
): PolicyDiff {
  const [old, now] = [sideOf(before), sideOf(after)];
  const universe = toolUniverse([before.document, after.document]);
  const list = new ChangeList(universe);
  const maxStates = options.maxStates ?? DEFAULT_MAX_STATES;
  const roles = [...new Set([...old.roles, ...now.roles])];
  const kept = roles.filter((role) => old.roles.has(role) && now.roles.has(role));
  const several = severalRoles(options.roles);
  const users = [...kept.map((role) => [role]), ...several];
  const sequences = new SequenceComparison(old, now, universe, maxStates, users);
  const guardrails = new GuardrailComparison();
  const compared: Compared = { old, now, universe, list, sequences, guardrails };
  addExpiryChange(before, after, list);
  for (const role of roles) if (!kept.includes(role)) addRole(role, compared);
  const granted = new Set(kept.flatMap((role) => [...addUser([role], compared)]));
  for (const user of several) addUser(user, compared);
  sequences.addFlows(list, granted);
  addReasonChanges(list, old, now, universe);
  const changes = list.finish((change, rules) => placed(change, rules, options));
  return summary(before, after, changes, sequences.incomplete);
}

interface Compared {
  readonly old: PolicySide;
  readonly now: PolicySide;
  readonly universe: readonly UniverseTool[];
  readonly list: ChangeList;
  readonly sequences: SequenceComparison;
  readonly guardrails: GuardrailComparison;
}

function sideOf({ document, expiresAt }: LoadedPolicy): PolicySide {
  return new PolicySide(document, compilePlan(document, { expiresAt }));
}

/** The role sets asked for that are not single roles, each once, in a fixed order. */
function severalRoles(asked: readonly (readonly string[])[] = []): string[][] {
  const sets = asked.map((roles) => [...new Set(roles)].sort()).filter((roles) => roles.length > 1);
  return [...new Map(sets.map((roles) => [JSON.stringify(roles), roles])).values()];
}

function addExpiryChange(before: LoadedPolicy, after: LoadedPolicy, list: ChangeList): void {
  const old = before.expiresAt ?? Number.POSITIVE_INFINITY;
  const now = after.expiresAt ?? Number.POSITIVE_INFINITY;
  if (old === now) return;
  const say = (instant: number) =>
    instant === Number.POSITIVE_INFINITY ? "never expires" : `expires at ${new Date(instant).toISOString()}`;
  const place = formatDocumentPath(["metadata", "expires"]);
  list.add(
    {
      kind: "expires",
      direction: now < old ? "tightened" : "loosened",
      words: () => `the policy ${say(now)}, before it ${instantWords(say(old))}`,
      before: before.expiresAt === undefined ? [] : [place],
      after: after.expiresAt === undefined ? [] : [place],
    },
    undefined,
  );
}

/** "never expired", "expired at …". */
function instantWords(words: string): string {
  return words.replace("expires", "expired");
}

function addRole(role: string, { old, now, universe, list }: Compared): void {
  const added = now.roles.has(role);
  const side = added ? now : old;
  for (const { draft, tool, domain } of roleChange(role, added, side, universe))
    list.add(draft, [role], tool, domain);
}

/** Adds what changed for a user with these roles, and gives the tools that both policies grant. */
function addUser(
  roles: readonly string[],
  { old, now, universe, list, sequences, guardrails }: Compared,
): ReadonlySet<string> {
  const access = universe.map(({ tool }) => ({
    tool,
    before: old.access(roles, tool),
    after: now.access(roles, tool),
  }));
  const domain = (holds: (row: (typeof access)[number]) => boolean) =>
    new Set(access.filter(holds).map(({ tool }) => tool));
  const usableBefore = domain(({ before }) => before.usable);
  const unusableBefore = domain(({ before }) => !before.usable);
  const usable = domain(({ before, after }) => before.usable && after.usable);
  const judgedOtherwise = new Set<string>();
  for (const row of access) {
    const change = permissionChange(
      { side: old, access: row.before },
      { side: now, access: row.after },
      roles,
    );
    if (change !== undefined) {
      list.add(change, roles, row.tool, change.kind === "permission_lost" ? usableBefore : unusableBefore);
    }
    if (!usable.has(row.tool)) continue;
    for (const draft of guardrails.changes(row.before.grants, row.after.grants)) {
      list.add(draft, roles, row.tool, usable);
      if (draft.kind !== "input") judgedOtherwise.add(row.tool);
    }
  }
  addBlockChanges(list, roles, usable, old, now);
  sequences.add(list, roles, usable, judgedOtherwise);
  return usable;
}

function placed(
  change: Omit<PolicyChange, "before" | "after">,
  { before, after }: RulesAtWork,
  { locateBefore, locateAfter }: DiffOptions,
): PolicyChange {
  const { example } = change;
  return Object.freeze({
    ...change,
    roleSets: Object.freeze(change.roleSets.map((roles) => Object.freeze(roles.slice()))),
    tools: Object.freeze(change.tools.slice()),
    before: placesOf(before, locateBefore),
    after: placesOf(after, locateAfter),
    ...(example === undefined
      ? {}
      : { example: Object.freeze(example.map((call) => Object.freeze({ ...call }))) }),
  });
}

function placesOf(rules: readonly string[], locate: Locate | undefined): readonly RulePlace[] {
  return Object.freeze([...new Set(rules)].map((rule) => Object.freeze({ rule, ...locate?.(rule) })));
}

function summary(
  before: LoadedPolicy,
  after: LoadedPolicy,
  changes: readonly PolicyChange[],
  incomplete: boolean,
): PolicyDiff {
  const count = (direction: PolicyChange["direction"]) =>
    changes.filter((change) => change.direction === direction).length;
  const counts = Object.freeze({
    tightened: count("tightened"),
    loosened: count("loosened"),
    changed: count("changed"),
    neutral: count("neutral"),
  });
  const loosened = counts.loosened > 0;
  return Object.freeze({
    before: Object.freeze({ name: before.name, version: before.version }),
    after: Object.freeze({ name: after.name, version: after.version }),
    direction: directionOf(counts),
    loosened,
    mayLoosen: loosened || counts.changed > 0 || incomplete,
    incomplete,
    counts,
    changes: Object.freeze(changes),
  });
}

function directionOf({ tightened, loosened, changed }: PolicyDiff["counts"]): PolicyDiff["direction"] {
  if (loosened > 0) return tightened > 0 || changed > 0 ? "mixed" : "loosened";
  if (changed > 0) return "changed";
  return tightened > 0 ? "tightened" : "same";
}

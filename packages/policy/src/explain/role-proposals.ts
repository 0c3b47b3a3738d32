import { compareCodePoints, type PolicyDocument } from "d2-core";
import type { Candidate } from "./argument-proposals.js";
import { refersTo } from "./consulted-rules.js";
import type { Step } from "./explanation.js";
import { entryOf, mayBegin, type Situation } from "./situation.js";

/** Roles that are tried in pairs, and alone where the whole history must be looked at for each. */
const MAX_TRIED = 40;

/** Other roles that would let the permission layer pass: each single one to add, else to drop those that forbid, else pairs. */
export function grantingRoles(document: PolicyDocument, situation: Situation): Candidate[] {
  const { roles = [] } = situation;
  const forbidding = roles.filter((role) => forbids(document, role, situation.tool));
  if (forbidding.length > 0)
    return [withoutRoles(situation, [...new Set(forbidding)].sort(compareCodePoints))];
  return strangers(situation)
    .map((role) => withRoles(situation, [role]))
    .filter(({ after }) => entryOf(after)?.denial === undefined);
}

/** Other roles that would let the sequence layer pass, and roles whose rules object. */
export function permittingRoles(situation: Situation): Candidate[] {
  const { roles = [] } = situation;
  const known = new Set(situation.plan.roleNames);
  const held = [...new Set(roles)].filter((role) => known.has(role)).sort(compareCodePoints);
  const without =
    held.length > 1 ? held.slice(0, MAX_TRIED).map((role) => withoutRoles(situation, [role])) : [];
  const listed = entryOf(situation)?.space?.program.roles.some(({ allowListed }) => allowListed) === true;
  const added = listed
    ? strangers(situation)
        .slice(0, MAX_TRIED)
        .map((role) => withRoles(situation, [role]))
    : [];
  return [...added, ...without].filter(({ after }) => mayBegin(after));
}

/** Pairs of roles to add with which the call may begin. */
export function rolePairs(situation: Situation): Candidate[] {
  const few = strangers(situation).slice(0, MAX_TRIED);
  const pairs = few.flatMap((first, at) => few.slice(at + 1).map((second) => [first, second]));
  return pairs.map((pair) => withRoles(situation, pair)).filter(({ after }) => mayBegin(after));
}

/** A grant to write into the policy, in words. */
export function missingGrant({ roles = [], plan, tool }: Situation): Step {
  const known = new Set(plan.roleNames);
  const role = roles.find((it) => known.has(it)) ?? roles[0];
  const words =
    role === undefined
      ? `grant \`${tool}\` to a role, and give it to the user`
      : `grant \`${tool}\` to the role \`${role}\`, and let no role of the user forbid it`;
  return { kind: "grant", role: role ?? "", tool, words };
}

function strangers({ plan, roles = [] }: Situation): string[] {
  const held = new Set(roles);
  return plan.roleNames.filter((role) => !held.has(role)).sort(compareCodePoints);
}

function forbids(document: PolicyDocument, role: string, tool: string): boolean {
  return document.policies.some(
    (entry) =>
      entry.roles.includes(role) &&
      entry.permissions.some((it) => !it.allow && refersTo(document, it.tool, tool)),
  );
}

function withRoles(situation: Situation, more: readonly string[]): Candidate {
  const words = `give the user ${named(more)}`;
  const after = { ...situation, roles: [...(situation.roles ?? []), ...more] };
  return { steps: [{ kind: "role", roles: more, words }], after };
}

function withoutRoles(situation: Situation, fewer: readonly string[]): Candidate {
  const words = `make the call for a user without ${named(fewer)}`;
  const after = { ...situation, roles: (situation.roles ?? []).filter((role) => !fewer.includes(role)) };
  return { steps: [{ kind: "role_without", roles: fewer, words }], after };
}

function named(roles: readonly string[]): string {
  return roles.map((role) => `the role \`${role}\``).join(" and ");
}

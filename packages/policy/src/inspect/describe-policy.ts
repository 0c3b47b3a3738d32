import { formatDocumentPath, type PolicyDocument } from "d2-core";
import { frozen } from "../frozen.js";
import type { LoadedPolicy } from "../load-policy.js";
import { countTools } from "../tool-count.js";
import { describeRole } from "./describe-role.js";
import { describeUser } from "./describe-user.js";
import type { DescribedLabel, DescribeOptions, PolicyDescription } from "./description.js";
import { ToolSets } from "./tool-sets.js";
import { ruleNotes } from "./words-actions.js";
import { labelWords } from "./words-flow.js";

const DAY = 24 * 60 * 60 * 1000;

/**
 * Says in plain words what a policy lets whom do: plain data, deeply frozen, in the order of the document. Never throws
 * for a policy that was loaded; roles that it does not have are listed as unknown.
 */
export function describePolicy(policy: LoadedPolicy, options: DescribeOptions = {}): PolicyDescription {
  const { document, name, version, expiresAt } = policy;
  const { roles: only, userRoles, now, locate } = options;
  const tools = new ToolSets(document);
  const known = [...new Set(document.policies.flatMap(({ roles }) => roles))];
  const shown = only === undefined ? known : known.filter((role) => only.includes(role));
  const asked = [...new Set([...(only ?? []), ...(userRoles ?? [])])];
  return frozen({
    name,
    version,
    ...(document.description === undefined ? {} : { description: document.description }),
    ...(expiresAt === undefined ? {} : { expires: expiryOf(expiresAt, now) }),
    counts: countsOf(document),
    groups: document.toolGroups.map((group) => ({ name: `@${group.name}`, tools: group.tools })),
    roles: shown.map((role) => describeRole(document, role, tools, locate)),
    ...(userRoles === undefined ? {} : { user: describeUser(document, userRoles, tools, locate) }),
    labels: describeLabels(document),
    unknownRoles: asked.filter((role) => !known.includes(role)),
    notes: notesOf(document),
  });
}

function expiryOf(
  expiresAt: number,
  now: number | undefined,
): { readonly at: string; readonly daysLeft?: number } {
  const at = new Date(expiresAt).toISOString();
  return now === undefined ? { at } : { at, daysLeft: Math.floor((expiresAt - now) / DAY) };
}

function countsOf(document: PolicyDocument): PolicyDescription["counts"] {
  const permissions = document.policies.flatMap((entry) => entry.permissions);
  const fields = permissions.flatMap(({ output }) => output);
  const globals = permissions.map(({ global: { denyIfPatterns, requireFieldsAbsent, maxBytes } }) =>
    [denyIfPatterns.length > 0, requireFieldsAbsent.length > 0, maxBytes !== undefined].filter(Boolean),
  );
  return {
    roles: new Set(document.policies.flatMap(({ roles }) => roles)).size,
    permissions: permissions.length,
    tools: countTools(document),
    groups: document.toolGroups.length,
    inputRules: permissions.reduce((count, { input }) => count + input.length, 0),
    outputRules: fields.filter(({ action }) => action === undefined).length + globals.flat().length,
    actionRules: fields.filter(({ action }) => action !== undefined).length,
    sequenceRules: document.policies.reduce((count, entry) => count + (entry.sequence?.rules.length ?? 0), 0),
    labels: labelNames(document).length,
  };
}

function labelNames(document: PolicyDocument): string[] {
  const emitted = document.labels.flatMap(({ labels }) => labels);
  return [...new Set([...emitted, ...document.blocks.map(({ label }) => label)])];
}

function describeLabels(document: PolicyDocument): DescribedLabel[] {
  return labelNames(document).map((label) => {
    const marks = document.labels.filter(({ labels }) => labels.includes(label));
    const blocks = document.blocks.filter((block) => block.label === label);
    const markedBy = [...new Set(marks.map(({ tool }) => tool))];
    const blocked = [...new Set(blocks.flatMap((block) => block.tools))];
    const rules = [...marks, ...blocks].map(({ at }) => formatDocumentPath(at));
    return { label, markedBy, blocks: blocked, rules, words: labelWords(label, markedBy, blocked) };
  });
}

function notesOf(document: PolicyDocument): string[] {
  const permissions = document.policies.flatMap((entry) => entry.permissions);
  const guarded = permissions.some(
    ({ allow, input, output }) => allow && (input.length > 0 || output.length > 0),
  );
  const roles = new Set(document.policies.flatMap((entry) => entry.roles));
  const several = "a user with several roles is bound by the rules of every one of them that grants the tool";
  return [
    ...ruleNotes(permissions.flatMap(({ input, output }) => [...input, ...output])),
    ...(guarded && roles.size > 1 ? [several] : []),
  ];
}

import { encodeTagged } from "../canonical/tagged.js";
import type { PolicyDocument } from "../document/document.js";
import { documentDigest } from "../document/document-digest.js";
import { allow, answer, anyOf, chain, deny, invert } from "./combinators.js";
import { dataFlow, type ToolsByLabel } from "./data-flow-gate.js";
import { inputGates, ROLES_PATH, releaseGates } from "./document-conditions.js";
import { ALLOW_GATE, denied, type Gate, makeGate } from "./gate.js";
import { requireKey } from "./input-gates.js";
import { contains, textList, valueAt } from "./path-gates.js";
import { collectRoles, type RoleRules, type Tools, toolsOf } from "./role-rules.js";
import { RootPolicy } from "./root-policy.js";
import { sequence } from "./sequence-gate.js";
import { tool } from "./tool-gate.js";

/** Names of a policy other than those that the document gives it. */
export interface TreeIdentity {
  /** Default: the document's name, or `unnamed`. */
  readonly policyId?: string;
  /** Default: `sha256:` and the first 16 digits of the document's digest. */
  readonly policyVersion?: string;
}

/**
 * A policy document as a tree of gates under its name: to digest (`describeDigest`), to show (`treePayload`), to compare,
 * and to ask. Documents that differ only in the order of roles, of tools or of labels have the same tree.
 *
 * It decides on the inputs of a `tool.call`: `principal_id`, `capability`, and under `extensions` `roles`, `history` (the
 * tool ids of earlier calls, oldest first), `facts` (default: those that the history's labels make), `arguments` in the
 * tagged encoding, and `policy_state` (default `current`). Outcome and reason code are those of the guard, as far as the
 * history says everything: calls made one after the other, each returned and released. It does not know of calls that
 * failed, overlap or stand inside one another. Where a list that the rules need is missing, or an argument
 * was recorded as a digest alone, the answer is DENY, `evaluation_error`. Output rules are described and not asked: they
 * are about what a call returns.
 *
 * @throws {InvalidIdError} when the document's name is longer than an id may be
 */
export function policyTree(document: PolicyDocument, identity: TreeIdentity = {}): RootPolicy {
  const tools = toolsOf(document);
  const roles = collectRoles(document, tools);
  const gates = [
    policyState(document),
    answer(requireKey("principal_id"), { deny: "no_context" }, { label: "context" }),
    answer(inputsKnown(document), { deny: "evaluation_error" }, { label: "inputs" }),
    ...permissionGates(document, roles, tools),
    ...sequenceGates(roles),
    ...dataFlowGates(document, tools),
    ...inputGates(document, tools),
    ...releaseGates(document, tools),
  ];
  return new RootPolicy({
    policyId: identity.policyId ?? document.name ?? "unnamed",
    policyVersion: identity.policyVersion ?? `sha256:${documentDigest(document).slice(0, 16)}`,
    root: answer(chain(gates), { allow: "ok" }),
  });
}

function policyState({ expires }: PolicyDocument): Gate {
  const parameters = expires === undefined ? {} : { expires: encodeTagged(expires) };
  return makeGate("policy_state", parameters, { label: "policy state" }, ({ inputs }, label) => {
    const state = valueAt(inputs, "extensions.policy_state");
    if (state === undefined || state === "current") return ALLOW_GATE;
    return denied(state === "expired" ? "policy_expired" : "policy_unavailable", null, label);
  });
}

function inputsKnown(document: PolicyDocument): Gate {
  const paths = [ROLES_PATH];
  if (document.policies.some((entry) => entry.sequence !== undefined)) paths.push("extensions.history");
  const gates = paths.map((path) => textList(path));
  if (document.blocks.length > 0) {
    gates.push(anyOf([textList("extensions.facts"), textList("extensions.history")]));
  }
  return chain(gates);
}

function permissionGates(document: PolicyDocument, roles: readonly RoleRules[], tools: Tools): Gate[] {
  const mentioned = document.policies.flatMap((entry) => entry.permissions.flatMap((it) => tools(it.tool)));
  const forbidding = roles.filter(({ forbidden }) => forbidden.length > 0);
  const forbidden = forbidding.map((role) =>
    invert(chain([contains(ROLES_PATH, role.name), tool(role.forbidden)])),
  );
  const granted = roles
    .filter((role) => role.granted.length > 0)
    .map((role) => chain([contains(ROLES_PATH, role.name), tool(role.granted)], { label: role.name }));
  return [
    answer(toolAmong(mentioned), { deny: "missing_policy" }, { label: "missing policy" }),
    answer(
      chain([...forbidden, anyOf([...granted, deny()])]),
      { deny: "rbac_denied" },
      { label: "permission" },
    ),
  ];
}

/** `tool`, which has no empty list. */
function toolAmong(patterns: readonly string[]): Gate {
  return patterns.length === 0 ? deny() : tool(patterns);
}

function sequenceGates(roles: readonly RoleRules[]): Gate[] {
  const blocking = roles
    .filter(({ rules }) => rules.some((rule) => "deny" in rule))
    .map((role) =>
      anyOf([invert(contains(ROLES_PATH, role.name)), sequence(role.rules)], { label: role.name }),
    );
  const listed = roles.filter(({ allowListed }) => allowListed);
  const permitting = listed.map((role) => {
    const permits = role.rules.filter((rule) => "allow" in rule);
    return chain([contains(ROLES_PATH, role.name), sequence(permits, { mode: "deny" })], {
      label: role.name,
    });
  });
  const unlisted = chain(listed.map((role) => invert(contains(ROLES_PATH, role.name))).concat(allow()));
  const gates = listed.length === 0 ? blocking : [...blocking, anyOf([unlisted, ...permitting])];
  if (gates.length === 0) return [];
  return [answer(chain(gates), { deny: "sequence_violation" }, { label: "sequence" })];
}

function dataFlowGates({ labels, blocks }: PolicyDocument, tools: Tools): Gate[] {
  if (blocks.length === 0 && labels.length === 0) return [];
  const emitters = labels.flatMap((rule) => rule.labels.map((label) => ({ label, tools: [rule.tool] })));
  const gate = dataFlow({ labels: byLabel(emitters, tools), blocks: byLabel(blocks, tools) });
  return [answer(gate, { deny: "data_flow_violation" }, { label: "data flow" })];
}

function byLabel(
  rules: readonly { readonly label: string; readonly tools: readonly string[] }[],
  tools: Tools,
): ToolsByLabel {
  const found: { [label: string]: readonly string[] } = Object.create(null);
  for (const rule of rules) found[rule.label] = [...(found[rule.label] ?? []), ...rule.tools.flatMap(tools)];
  return found;
}

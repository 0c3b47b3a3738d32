import type { CanonicalValue } from "../canonical/canonical-json.js";
import { encodeTagged } from "../canonical/tagged.js";
import type { FieldRule, OperatorUse, Permission, PolicyDocument } from "../document/document.js";
import { argument, argumentsKnown } from "./argument-gates.js";
import { answer, anyOf, chain } from "./combinators.js";
import { ALLOW_GATE, ask, type Gate, makeGate } from "./gate.js";
import { sortedTexts } from "./input-gates.js";
import { contains } from "./path-gates.js";
import type { Tools } from "./role-rules.js";
import { sortedPatterns, tool } from "./tool-gate.js";

/** Where the roles of a user stand in the inputs. */
export const ROLES_PATH = "extensions.roles";

/** For each permission with input rules: they hold where the user has a role of its entry and the tool is one of its. */
export function inputGates(document: PolicyDocument, tools: Tools): Gate[] {
  return permissionsOf(document).flatMap(({ roles, permission }) => {
    const rules = permission.input.filter((rule) => rule.operators.length > 0);
    if (!permission.allow || rules.length === 0) return [];
    const exact = !permission.tool.startsWith("@") && !permission.tool.includes("*");
    const applies = chain([
      anyOf(roles.map((role) => contains(ROLES_PATH, role))),
      tool(tools(permission.tool)),
    ]);
    const judged = rules.map(({ path, operators }) => argument(path, byName(operators), { exact }));
    const holds = chain([
      answer(argumentsKnown(rules.map(({ path }) => path)), { deny: "evaluation_error" }),
      answer(chain(judged), { deny: "input_validation" }),
    ]);
    return [whenever(applies, holds)];
  });
}

/**
 * Asks a gate only where another allows. Unlike `anyOf([invert(when), then])` it answers with the words of the gate
 * that denied.
 */
function whenever(when: Gate, then: Gate): Gate {
  return makeGate("whenever", { gates: [when.describe(), then.describe()] }, {}, (context) =>
    ask(when, context).outcome === "DENY" ? ALLOW_GATE : ask(then, context),
  );
}

/** For each permission with output rules: what they are. They are about what a call returns, so they let every call pass. */
export function releaseGates(document: PolicyDocument, tools: Tools): Gate[] {
  return permissionsOf(document).flatMap(({ roles, permission }) => {
    const { output, global } = permission;
    const rules = mapping({
      validate: output.some(isValidation) ? fields(output.filter(isValidation)) : undefined,
      transform: output.every(isValidation)
        ? undefined
        : fields(output.filter((rule) => !isValidation(rule))),
      deny_if_patterns: global.denyIfPatterns.length > 0 ? global.denyIfPatterns : undefined,
      require_fields_absent: global.requireFieldsAbsent.length > 0 ? global.requireFieldsAbsent : undefined,
      max_bytes: global.maxBytes,
    });
    if (!permission.allow || Object.keys(rules).length === 0) return [];
    const patterns = sortedPatterns("release", tools(permission.tool));
    return [makeGate("release", { roles, patterns, ...rules }, {}, () => ALLOW_GATE)];
  });
}

function isValidation(rule: FieldRule): boolean {
  return rule.action === undefined;
}

function fields(rules: readonly FieldRule[]): CanonicalValue {
  return rules.map(({ path, operators, action }) =>
    mapping({ path, action, operators: encodeTagged(byName(operators)) }),
  );
}

function byName(operators: readonly OperatorUse[]): { readonly [name: string]: unknown } {
  return Object.fromEntries(operators.map(({ name, operand }) => [name, operand]));
}

interface OwnedPermission {
  /** Sorted. */
  readonly roles: readonly string[];
  readonly permission: Permission;
}

/** In document order, which is the order of output rules. */
function permissionsOf(document: PolicyDocument): OwnedPermission[] {
  return document.policies.flatMap((entry) => {
    const roles = sortedTexts("roles", entry.roles);
    return entry.permissions.map((permission) => ({ roles, permission }));
  });
}

/** A mapping without the keys that have no value. */
function mapping(entries: { readonly [key: string]: CanonicalValue | undefined }): {
  readonly [key: string]: CanonicalValue;
} {
  const plain: { [key: string]: CanonicalValue } = Object.create(null);
  for (const [key, value] of Object.entries(entries)) if (value !== undefined) plain[key] = value;
  return plain;
}

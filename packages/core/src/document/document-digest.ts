import { sha256Hex } from "#platform/sha256";
import { canonicalJson, type HexDigest } from "../canonical/canonical-json.js";
import { encodeTagged } from "../canonical/tagged.js";
import type {
  FieldRule,
  GlobalRules,
  Permission,
  PolicyDocument,
  PolicyEntry,
  SequenceRules,
} from "./document.js";

/** Keys may be any text, so the objects have no prototype that one of them could hit. */
type PlainMapping = Record<string, unknown>;

/**
 * The document as a plain value with one form for one meaning: short forms expanded, defaults written out, groups kept
 * as groups. What has an order that matters is a list (entries, permissions, sequence rules and steps, and output rules
 * with an action); everything else is a mapping, whose keys have no order.
 *
 * ```
 * { version, metadata: {name?, description?, expires?, tool_groups, data_flow: {labels, blocks}},
 *   policies: [{roles, permissions: [{tool, allow, input?, validate?, transform?: [{path, action, operators}],
 *                              deny_if_patterns?, require_fields_absent?, max_bytes?}],
 *               sequence?: {mode, rules: [{kind, steps, reason?}]}}] }
 * ```
 */
export function normalisedDocument(document: PolicyDocument): unknown {
  return mapping({
    version: document.version,
    metadata: normalisedMetadata(document),
    policies: document.policies.map(normalisedEntry),
  });
}

/**
 * The digest that stands for a policy in records: SHA-256 of the canonical JSON of the normalised document in the
 * tagged encoding, as 64 lower-case hex digits. YAML, JSON and object form of one policy have the same one.
 *
 * A large policy is mostly plain grants of the same tools to many roles, so the canonical text is put together from
 * parts, and a grant's part is written once a tool. INVARIANT: the text is that of the whole normalised document.
 */
export function documentDigest(document: PolicyDocument): HexDigest {
  const grants = new Map<string, string>();
  const permissionText = (permission: Permission): string => {
    if (!isPlainGrant(permission)) return canonicalText(normalisedPermission(permission));
    let text = grants.get(permission.tool);
    if (text === undefined) {
      text = canonicalText(normalisedPermission(permission));
      grants.set(permission.tool, text);
    }
    return text;
  };
  const entries = document.policies.map((entry) => {
    const sequence =
      entry.sequence === undefined ? "" : `,"sequence":${canonicalText(normalisedSequence(entry.sequence))}`;
    const permissions = entry.permissions.map(permissionText).join(",");
    return `{"permissions":[${permissions}],"roles":${canonicalText(entry.roles)}${sequence}}`;
  });
  const metadata = canonicalText(normalisedMetadata(document));
  const text = `{"metadata":${metadata},"policies":[${entries.join(",")}],"version":${document.version}}`;
  // SHA-256 in lower-case hex is what the type stands for.
  return sha256Hex(text) as HexDigest;
}

function canonicalText(value: unknown): string {
  return canonicalJson(encodeTagged(value));
}

function isPlainGrant(permission: Permission): boolean {
  const { allow, input, output, global } = permission;
  return (
    allow &&
    input.length === 0 &&
    output.length === 0 &&
    global.denyIfPatterns.length === 0 &&
    global.requireFieldsAbsent.length === 0 &&
    global.maxBytes === undefined
  );
}

function normalisedMetadata(document: PolicyDocument): PlainMapping {
  return mapping({
    name: document.name,
    description: document.description,
    expires: document.expires,
    tool_groups: byName(document.toolGroups, (group) => [group.name, group.tools]),
    data_flow: mapping({
      labels: byName(document.labels, (rule) => [rule.tool, rule.labels]),
      blocks: byName(document.blocks, (rule) => [rule.label, rule.tools]),
    }),
  });
}

function normalisedEntry(entry: PolicyEntry): unknown {
  return mapping({
    roles: entry.roles,
    permissions: entry.permissions.map(normalisedPermission),
    sequence: entry.sequence === undefined ? undefined : normalisedSequence(entry.sequence),
  });
}

function normalisedPermission(permission: Permission): unknown {
  const plain: PlainMapping = Object.create(null);
  plain["tool"] = permission.tool;
  plain["allow"] = permission.allow;
  if (permission.input.length > 0) {
    plain["input"] = byName(permission.input, (rule) => [rule.path, normalisedOperators(rule)]);
  }
  const validate = permission.output.filter((rule) => rule.action === undefined);
  if (validate.length > 0) {
    plain["validate"] = byName(validate, (rule) => [rule.path, normalisedOperators(rule)]);
  }
  const transform = permission.output.filter((rule) => rule.action !== undefined);
  if (transform.length > 0) {
    plain["transform"] = transform.map((rule) =>
      mapping({ path: rule.path, action: rule.action, operators: normalisedOperators(rule) }),
    );
  }
  return Object.assign(plain, normalisedGlobalRules(permission.global));
}

function normalisedOperators(rule: FieldRule): unknown {
  return byName(rule.operators, (use) => [use.name, use.operand]);
}

function normalisedGlobalRules(rules: GlobalRules): unknown {
  return mapping({
    deny_if_patterns: rules.denyIfPatterns.length > 0 ? rules.denyIfPatterns : undefined,
    require_fields_absent: rules.requireFieldsAbsent.length > 0 ? rules.requireFieldsAbsent : undefined,
    max_bytes: rules.maxBytes,
  });
}

function normalisedSequence(sequence: SequenceRules): unknown {
  return mapping({
    mode: sequence.mode,
    rules: sequence.rules.map((rule) => mapping({ kind: rule.kind, steps: rule.steps, reason: rule.reason })),
  });
}

/** A mapping without the keys that have no value. */
function mapping(fields: PlainMapping): PlainMapping {
  const plain: PlainMapping = Object.create(null);
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) plain[key] = value;
  return plain;
}

function byName<Item>(
  items: readonly Item[],
  entry: (item: Item) => readonly [name: string, value: unknown],
): PlainMapping {
  const plain: PlainMapping = Object.create(null);
  for (const item of items) {
    const [name, value] = entry(item);
    plain[name] = value;
  }
  return plain;
}

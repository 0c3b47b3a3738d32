import { checkConditions, NO_CONDITIONS } from "./check-conditions.js";
import { checkSequence } from "./check-sequence.js";
import type { DocumentPath, Permission, PolicyEntry } from "./document.js";
import { isTreeMap, type PolicyTree, type PolicyTreeMap } from "./policy-tree.js";
import type { ToolNames } from "./tool-names.js";
import { checkName } from "./tool-reference.js";
import type { TreeReading } from "./tree-reading.js";

const ENTRY_KEYS = ["role", "roles", "permissions", "sequence"];
const ENTRY_ALIASES: ReadonlyMap<string, string> = new Map([
  ["tools", "permissions"],
  ["grants", "permissions"],
  ["allow", "permissions"],
  ["name", "role"],
  ["rolename", "role"],
  ["sequencerules", "sequence"],
]);
const PERMISSION_KEYS = ["tool", "id", "allow", "conditions"];
const PERMISSION_ALIASES: ReadonlyMap<string, string> = new Map([
  ["name", "tool"],
  ["toolid", "tool"],
  ["function", "tool"],
  ["guardrails", "conditions"],
  ["when", "conditions"],
]);

/** Checks `policies`, the list of what each role may do. */
export function checkEntries(
  node: PolicyTree,
  path: DocumentPath,
  reading: TreeReading,
  tools: ToolNames,
): readonly PolicyEntry[] {
  const entries: PolicyEntry[] = [];
  for (const [index, item] of (reading.list(node, path, "`policies`") ?? []).entries()) {
    const entry = checkEntry(item, [...path, index], reading, tools);
    if (entry !== undefined) entries.push(entry);
  }
  return Object.freeze(entries);
}

function checkEntry(
  node: PolicyTree,
  path: DocumentPath,
  reading: TreeReading,
  tools: ToolNames,
): PolicyEntry | undefined {
  const map = reading.mapping(node, path, "an entry of `policies`");
  if (map === undefined) return undefined;
  const meant = reading.knownKeys(map, path, "an entry of `policies`", ENTRY_KEYS, ENTRY_ALIASES);
  const key = oneOfTwo(map, "role", "roles", path, reading);
  if (key === undefined && !meant.has("role") && !meant.has("roles")) {
    reading.faults.error("missing_key", "an entry needs `role`: say whose permissions these are", path);
  }
  const roles = key === undefined ? [] : checkRoles(map.get(key) ?? null, [...path, key], reading);
  const permissions = map.get("permissions");
  const sequence = map.get("sequence");
  const entry = {
    roles: Object.freeze(roles),
    permissions:
      permissions === undefined
        ? NO_PERMISSIONS
        : checkPermissions(permissions, [...path, "permissions"], reading, tools),
    at: Object.freeze([...path]),
  };
  const rules =
    sequence === undefined ? undefined : checkSequence(sequence, [...path, "sequence"], reading, tools);
  return Object.freeze(rules === undefined ? entry : { ...entry, sequence: rules });
}

const NO_PERMISSIONS: readonly Permission[] = Object.freeze([]);

/** The one of two spellings of a key that is there; both together are a fault. */
function oneOfTwo(
  map: PolicyTreeMap,
  first: string,
  second: string,
  path: DocumentPath,
  reading: TreeReading,
): string | undefined {
  if (map.has(first) && map.has(second)) {
    const message = `\`${first}\` and \`${second}\` are the same key: keep one of them`;
    reading.faults.error("conflicting_keys", message, [...path, second], { at: "key" });
  }
  if (map.has(first)) return first;
  return map.has(second) ? second : undefined;
}

function checkRoles(node: PolicyTree, path: DocumentPath, reading: TreeReading): string[] {
  const texts = reading.texts(node, path, "`role`");
  if (Array.isArray(node) && node.length === 0) {
    reading.faults.error("empty_list", "the list of roles is empty: name at least one role", path);
  }
  const roles: string[] = [];
  for (const item of texts ?? []) {
    const message =
      item.text === "*"
        ? "`*` is no role name, it stands for tools only: name the roles"
        : checkName("the role name", item.text);
    if (message === undefined) roles.push(item.text);
    else reading.faults.error("bad_role", message, item.path);
  }
  return roles;
}

function checkPermissions(
  node: PolicyTree,
  path: DocumentPath,
  reading: TreeReading,
  tools: ToolNames,
): readonly Permission[] {
  const list = typeof node === "string" ? undefined : reading.list(node, path, "`permissions`");
  const permissions: Permission[] = [];
  if (typeof node === "string") {
    const permission = checkPermission(node, path, reading, tools);
    if (permission !== undefined) permissions.push(permission);
  }
  for (const [index, item] of (list ?? []).entries()) {
    const permission = checkPermission(item, [...path, index], reading, tools);
    if (permission !== undefined) permissions.push(permission);
  }
  return Object.freeze(permissions);
}

function checkPermission(
  node: PolicyTree,
  path: DocumentPath,
  reading: TreeReading,
  tools: ToolNames,
): Permission | undefined {
  const at = Object.freeze([...path]);
  if (!isTreeMap(node)) {
    const tool = tools.reference(node, path, "a permission, where it is not a mapping,");
    return tool === undefined ? undefined : Object.freeze({ tool, allow: true, ...NO_CONDITIONS, at });
  }
  const meant = reading.knownKeys(node, path, "a permission", PERMISSION_KEYS, PERMISSION_ALIASES);
  const key = oneOfTwo(node, "tool", "id", path, reading);
  if (key === undefined && !meant.has("tool") && !meant.has("id")) {
    reading.faults.error("missing_key", "a permission needs `tool`: say which tool it is about", path);
  }
  const tool =
    key === undefined ? undefined : tools.reference(node.get(key) ?? null, [...path, key], `\`${key}\``);
  const allowNode = node.get("allow");
  const allow = allowNode === undefined ? true : reading.boolean(allowNode, [...path, "allow"], "`allow`");
  const conditionsNode = node.get("conditions");
  const conditions =
    conditionsNode === undefined
      ? NO_CONDITIONS
      : checkConditions(conditionsNode, [...path, "conditions"], reading);
  if (allow === false && conditionsNode !== undefined) {
    const message =
      "a permission with `allow: false` forbids every call, so its conditions never apply: take them out";
    reading.faults.warning("conditions_on_denial", message, [...path, "conditions"], { at: "key" });
  }
  if (tool === undefined || allow === undefined) return undefined;
  return Object.freeze({ tool, allow, ...conditions, at });
}

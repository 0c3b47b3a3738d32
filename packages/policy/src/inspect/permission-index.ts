import type { Permission, PolicyDocument } from "d2-core";
import { covers, type ToolSets } from "./tool-sets.js";

/** A permission with the roles that have it. */
export interface OwnedPermission {
  readonly roles: readonly string[];
  readonly permission: Permission;
  /** Place among the permissions of the document. */
  readonly order: number;
}

/** Finds the permissions that are about a tool without asking each of them. */
export class PermissionIndex {
  readonly all: readonly OwnedPermission[];
  readonly #tools: ToolSets;
  readonly #exact = new Map<string, OwnedPermission[]>();
  /** On prefixes, groups and `*`. */
  readonly #wide: OwnedPermission[] = [];

  constructor(document: PolicyDocument, tools: ToolSets) {
    this.#tools = tools;
    const all: OwnedPermission[] = [];
    for (const { roles, permissions } of document.policies) {
      for (const permission of permissions) {
        const owned = { roles, permission, order: all.length };
        all.push(owned);
        if (!isExact(permission.tool)) this.#wide.push(owned);
        else {
          const same = this.#exact.get(permission.tool);
          if (same === undefined) this.#exact.set(permission.tool, [owned]);
          else same.push(owned);
        }
      }
    }
    this.all = all;
  }

  /** The permissions about every tool of a pattern, in the order of the document. */
  covering(pattern: string): readonly OwnedPermission[] {
    const wide = this.#wide.filter(({ permission }) => covers(this.#tools.matcher(permission.tool), pattern));
    const exact = this.#exact.get(pattern) ?? [];
    return [...exact, ...wide].sort((one, other) => one.order - other.order);
  }

  /** The distinct tool patterns of the permissions of some roles, in the order of the document; groups by their tools. */
  patterns(roles: ReadonlySet<string>): readonly string[] {
    const found = new Set<string>();
    for (const { roles: own, permission } of this.all) {
      if (!own.some((role) => roles.has(role))) continue;
      for (const pattern of this.#tools.patterns(permission.tool)) found.add(pattern);
    }
    return [...found];
  }
}

/** Whether a reference is one tool id. */
export function isExact(reference: string): boolean {
  return !reference.startsWith("@") && !reference.endsWith("*");
}

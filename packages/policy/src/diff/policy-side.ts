import {
  formatDocumentPath,
  type Permission,
  type Plan,
  type PolicyDocument,
  type ToolMatcher,
} from "d2-core";
import { referenceMatcher } from "../reach/tool-universe.js";

/** A permission, and for whom it is. */
export interface PlacedPermission {
  readonly permission: Permission;
  readonly roles: ReadonlySet<string>;
  readonly at: string;
  /** Place among all permissions of the document. */
  readonly order: number;
  /** The reference is one tool id, neither a group nor a pattern. */
  readonly exact: boolean;
}

/** What the permissions of some roles say of a tool, in document order. */
export interface Access {
  readonly grants: readonly PlacedPermission[];
  readonly forbids: readonly PlacedPermission[];
  /** Granted, and forbidden by none. */
  readonly usable: boolean;
}

/** One of the two policies, with what the comparison asks of it. */
export class PolicySide {
  readonly document: PolicyDocument;
  readonly plan: Plan;
  readonly matcher: (reference: string) => ToolMatcher;
  readonly roles: ReadonlySet<string>;
  readonly #exact = new Map<string, PlacedPermission[]>();
  readonly #wide: PlacedPermission[] = [];
  readonly #found = new Map<string, readonly PlacedPermission[]>();
  /** Roles to which something is granted, by the reference as it is written. */
  readonly #written = new Map<string, Set<string>>();

  constructor(document: PolicyDocument, plan: Plan) {
    this.document = document;
    this.plan = plan;
    this.matcher = referenceMatcher(document);
    this.roles = new Set(document.policies.flatMap(({ roles }) => roles));
    let order = 0;
    for (const { roles, permissions } of document.policies) {
      const holders = new Set(roles);
      for (const permission of permissions) {
        const { tool } = permission;
        const exact = !tool.startsWith("@") && !tool.includes("*");
        const at = formatDocumentPath(permission.at);
        const placed = { permission, roles: holders, at, order, exact };
        order += 1;
        if (permission.allow) {
          this.#written.set(tool, new Set([...(this.#written.get(tool) ?? []), ...roles]));
        }
        if (!exact) this.#wide.push(placed);
        else if (this.#exact.has(tool)) this.#exact.get(tool)?.push(placed);
        else this.#exact.set(tool, [placed]);
      }
    }
  }

  /** Every permission that matches the tool, in document order. */
  #matching(tool: string): readonly PlacedPermission[] {
    const known = this.#found.get(tool);
    if (known !== undefined) return known;
    const found = this.#find(tool);
    this.#found.set(tool, found);
    return found;
  }

  #find(tool: string): readonly PlacedPermission[] {
    const exact = this.#exact.get(tool) ?? [];
    const wide = this.#wide.filter(({ permission }) => this.matcher(permission.tool).matches(tool));
    if (wide.length === 0) return exact;
    return exact.length === 0 ? wide : [...exact, ...wide].sort((a, b) => a.order - b.order);
  }

  /** Whether any permission of any role matches the tool. */
  mentions(tool: string): boolean {
    return this.#matching(tool).length > 0;
  }

  /** Whether a permission in these words grants something to one of the roles. */
  grantsAs(roles: readonly string[], reference: string): boolean {
    const written = this.#written.get(reference);
    return written !== undefined && roles.some((role) => written.has(role));
  }

  access(roles: readonly string[], tool: string): Access {
    const own = this.#matching(tool).filter((it) => roles.some((role) => it.roles.has(role)));
    const grants = own.filter(({ permission }) => permission.allow);
    const forbids = own.filter(({ permission }) => !permission.allow);
    return { grants, forbids, usable: grants.length > 0 && forbids.length === 0 };
  }
}

import { frozen } from "../frozen.js";
import type { LoadedPolicy } from "../load-policy.js";
import { type OwnedPermission, PermissionIndex } from "./permission-index.js";
import { ToolSets } from "./tool-sets.js";

/**
 * What a role may do with all the tools of a pattern: call them, call them under input or output rules, never call them,
 * or nothing is said of all of them. `conditions` says nothing of sequences and labels.
 */
export type Cell = "allow" | "conditions" | "forbidden" | "none";

/** Roles by tools. Plain data, deeply frozen. */
export interface AccessMatrix {
  /** In the order of the document. */
  readonly roles: readonly string[];
  readonly rows: readonly {
    /** A tool id, a prefix or `*`. */
    readonly tool: string;
    /** One for each of `roles`. */
    readonly cells: readonly Cell[];
  }[];
}

/** The matrix of roles and of the tools and patterns that their permissions name, groups by their tools. */
export function matrixOf(
  policy: LoadedPolicy,
  options: { readonly roles?: readonly string[] | undefined } = {},
): AccessMatrix {
  const { document } = policy;
  const known = [...new Set(document.policies.flatMap(({ roles }) => roles))];
  const roles = known.filter((role) => options.roles === undefined || options.roles.includes(role));
  const index = new PermissionIndex(document, new ToolSets(document));
  const rows = index
    .patterns(new Set(roles))
    .map((tool) => ({ tool, cells: cellsOf(index.covering(tool), roles) }));
  return frozen({ roles, rows });
}

function cellsOf(about: readonly OwnedPermission[], roles: readonly string[]): Cell[] {
  const cells = new Map<string, Cell>();
  for (const owned of about) {
    const cell = cellOf(owned);
    for (const role of owned.roles) {
      const known = cells.get(role);
      if (known === undefined || RANK[cell] > RANK[known]) cells.set(role, cell);
    }
  }
  return roles.map((role) => cells.get(role) ?? "none");
}

/** Which of two says more: what forbids counts whatever else grants, and conditions apply whatever else grants without. */
const RANK: { readonly [Name in Cell]: number } = { none: 0, allow: 1, conditions: 2, forbidden: 3 };

function cellOf({ permission }: OwnedPermission): Cell {
  const { allow, input, output, global } = permission;
  if (!allow) return "forbidden";
  const { denyIfPatterns, requireFieldsAbsent, maxBytes } = global;
  const ruled =
    input.length > 0 ||
    output.length > 0 ||
    denyIfPatterns.length > 0 ||
    requireFieldsAbsent.length > 0 ||
    maxBytes !== undefined;
  return ruled ? "conditions" : "allow";
}

import { groupOf, quoted } from "d2-core";
import { isExact } from "./permission-index.js";

/** Any of the tools of a reference: `db.read`, `a tool of @egress`, `a tool of db.*`, `any tool`. */
export function someTool(reference: string): string {
  if (reference === "*") return "any tool";
  return isExact(reference) ? quoted(reference) : `a tool of ${quoted(reference)}`;
}

/** All the tools of a reference: `db.read`, `every tool of @egress`, `every db.* tool`, `every tool`. */
export function everyTool(reference: string): string {
  if (reference === "*") return "every tool";
  if (groupOf(reference) !== undefined) return `every tool of ${quoted(reference)}`;
  return isExact(reference) ? quoted(reference) : `every ${quoted(reference)} tool`;
}

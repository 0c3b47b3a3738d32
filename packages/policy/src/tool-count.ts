import { groupOf, type PolicyDocument } from "d2-core";

/** Distinct exact ids and prefixes in a document's permissions, denials included; groups count by their tools, `*` not at all. */
export function countTools(document: PolicyDocument): number {
  const groups = new Map(document.toolGroups.map((group) => [group.name, group.tools]));
  const references = new Set<string>();
  for (const entry of document.policies)
    for (const permission of entry.permissions) references.add(permission.tool);
  const tools = new Set<string>();
  for (const reference of references) {
    const group = groupOf(reference);
    if (group === undefined) tools.add(reference);
    else for (const tool of groups.get(group) ?? []) tools.add(tool);
  }
  tools.delete("*");
  return tools.size;
}

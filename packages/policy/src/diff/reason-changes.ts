import type { UniverseTool } from "../reach/tool-universe.js";
import type { ChangeList } from "./change-list.js";
import type { PolicySide } from "./policy-side.js";

/**
 * Tools that nobody may call in either policy and that only one of them names in a permission: calls are refused with another
 * reason code. Where somebody gained or lost the tool, that says it already.
 */
export function addReasonChanges(
  list: ChangeList,
  before: PolicySide,
  after: PolicySide,
  universe: readonly UniverseTool[],
): void {
  const idle = universe
    .map(({ tool }) => tool)
    .filter((tool) => [before, after].every((side) => !isUsable(side, tool)));
  const domain = new Set(idle);
  for (const tool of idle) {
    const old = before.mentions(tool);
    if (old === after.mentions(tool)) continue;
    const [from, to] = old ? ["rbac_denied", "missing_policy"] : ["missing_policy", "rbac_denied"];
    list.add(
      {
        kind: "reason",
        direction: "neutral",
        words: (_who, tools) => `calls of ${tools} are refused as \`${to}\`, before as \`${from}\``,
      },
      undefined,
      tool,
      domain,
    );
  }
}

function isUsable(side: PolicySide, tool: string): boolean {
  return [...side.roles].some((role) => side.access([role], tool).usable);
}

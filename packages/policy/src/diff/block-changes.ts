import type { Plan } from "d2-core";
import type { ChangeList } from "./change-list.js";
import type { PolicySide } from "./policy-side.js";

/**
 * Labels that block a tool in one of the policies only. They count by themselves, since an application may record any label,
 * whether or not a tool of the policy has it.
 */
export function addBlockChanges(
  list: ChangeList,
  roles: readonly string[],
  usable: ReadonlySet<string>,
  before: PolicySide,
  after: PolicySide,
): void {
  for (const tool of usable) {
    const old = blocksOf(before.plan, tool);
    const now = blocksOf(after.plan, tool);
    for (const [label, rules] of old) {
      if (now.has(label)) continue;
      list.add(
        {
          kind: "block",
          direction: "loosened",
          words: (who, tools) => `data labelled \`${label}\` no longer keeps ${who} from calling ${tools}`,
          before: rules,
        },
        roles,
        tool,
        usable,
      );
    }
    for (const [label, rules] of now) {
      if (old.has(label)) continue;
      list.add(
        {
          kind: "block",
          direction: "tightened",
          words: (who, tools) => `data labelled \`${label}\` now keeps ${who} from calling ${tools}`,
          after: rules,
        },
        roles,
        tool,
        usable,
      );
    }
  }
}

function blocksOf(plan: Plan, tool: string): ReadonlyMap<string, readonly string[]> {
  const labels = new Map<string, string[]>();
  for (const { label, denial } of plan.blocksOf(tool)) {
    labels.set(label, [...(labels.get(label) ?? []), ...(denial.rule === undefined ? [] : [denial.rule])]);
  }
  return labels;
}

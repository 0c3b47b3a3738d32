import { formatDocumentPath } from "d2-core";
import type { UniverseTool } from "../reach/tool-universe.js";
import type { ChangeDraft } from "./change-list.js";
import type { ChangeDirection } from "./policy-diff.js";
import type { PolicySide } from "./policy-side.js";

/** A draft, and a tool that it concerns. */
export interface ToolDraft {
  readonly draft: ChangeDraft;
  readonly tool: string | undefined;
  readonly domain: ReadonlySet<string>;
}

/** What it means that a role is new, or gone, with all that it may call; and what it forbids to users with further roles. */
export function roleChange(
  role: string,
  added: boolean,
  side: PolicySide,
  universe: readonly UniverseTool[],
): ToolDraft[] {
  const access = universe.map(({ tool }) => ({ tool, ...side.access([role], tool) }));
  const domain = new Set(universe.map(({ tool }) => tool));
  const entries = side.document.policies.filter(({ roles }) => roles.includes(role));
  const usable = access.filter((it) => it.usable);
  const places = entries.map(({ at }) => formatDocumentPath(at));
  const draft: ChangeDraft = {
    kind: added ? "role_added" : "role_removed",
    direction: usable.length > 0 ? (added ? "loosened" : "tightened") : idleDirection(added, entries),
    words: (_who, tools) => roleWords(role, added, tools),
    ...(added ? { after: places } : { before: places }),
  };
  const own: ToolDraft[] =
    usable.length === 0
      ? [{ draft, tool: undefined, domain }]
      : usable.map(({ tool }) => ({ draft, tool, domain }));
  const denials = access.flatMap(({ tool, forbids: [forbid] }): ToolDraft[] => {
    if (forbid === undefined) return [];
    const rule = [forbid.at];
    const reference = { side, tool: forbid.permission.tool };
    const says = added
      ? (who: string) => `are now forbidden by ${who}, whatever the user's other roles grant`
      : (who: string) => `are no longer forbidden by ${who} to users who hold other roles as well`;
    const words = (who: string, tools: string) => `calls of ${tools} ${says(who)}`;
    const shared = { words, together: true, reference };
    return [
      {
        draft: added
          ? { ...shared, kind: "denial_added", direction: "tightened", after: rule }
          : { ...shared, kind: "denial_removed", direction: "loosened", before: rule },
        tool,
        domain,
      },
    ];
  });
  return [...own, ...denials];
}

type Entries = PolicySide["document"]["policies"];

/** Of a role that grants nothing: its sequence rules bind users who hold other roles as well. */
function idleDirection(added: boolean, entries: Entries): ChangeDirection {
  const modes = entries.flatMap(({ sequence }) => (sequence === undefined ? [] : [sequence.mode]));
  if (modes.length === 0) return "neutral";
  // One allow list more may permit to its user what another one does not.
  return added && !modes.includes("deny") ? "tightened" : "changed";
}

function roleWords(role: string, added: boolean, tools: string): string {
  if (added) {
    const may = tools === "" ? "it grants nothing by itself" : `it may call ${tools}`;
    return `the role \`${role}\` is new: ${may}`;
  }
  const may = tools === "" ? "it granted nothing by itself" : `it could call ${tools}`;
  return `the role \`${role}\` is gone: ${may}`;
}

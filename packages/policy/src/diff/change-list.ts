import { compareCodePoints } from "d2-core";
import type { UniverseTool } from "../reach/tool-universe.js";
import type { ChangeDirection, ChangeKind, ExampleCall, PolicyChange } from "./policy-diff.js";
import type { PolicySide } from "./policy-side.js";
import { nameTools, type ToolNames } from "./tool-names.js";

/** A change before it is known how many users and tools it concerns. */
export interface ChangeDraft {
  readonly kind: ChangeKind;
  readonly direction: ChangeDirection;
  /** The sentence for these users and these tools. */
  readonly words: (who: string, tools: string) => string;
  readonly path?: string;
  /** Document paths of the rules at work. */
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  readonly example?: readonly ExampleCall[];
  readonly together?: boolean;
  /** The reference through which the tools are concerned: named instead of them where it concerns nothing else. */
  readonly reference?: { readonly side: PolicySide; readonly tool: string };
}

interface Gathered {
  readonly draft: ChangeDraft;
  readonly roles: readonly string[] | undefined;
  readonly tools: Set<string>;
  /** Tools of which the same could have been said. */
  readonly domain: ReadonlySet<string>;
}

/** Document paths in the old policy, and in the new one. */
export interface RulesAtWork {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

interface Grouped {
  readonly draft: ChangeDraft;
  readonly names: ToolNames;
  readonly roleSets: Map<string, readonly string[]>;
  readonly before: Set<string>;
  readonly after: Set<string>;
}

const KINDS: readonly ChangeKind[] = Object.freeze([
  "expires",
  "role_added",
  "role_removed",
  "permission_gained",
  "permission_lost",
  "denial_added",
  "denial_removed",
  "input",
  "output",
  "action",
  "global",
  "block",
  "sequence_opened",
  "sequence_closed",
  "search_stopped",
  "sequence_rewritten",
  "reason",
]);

/** Gathers changes, and tells what several users or tools have in common once. */
export class ChangeList {
  readonly #universe: readonly UniverseTool[];
  readonly #gathered = new Map<string, Gathered>();

  constructor(universe: readonly UniverseTool[]) {
    this.#universe = universe;
  }

  /**
   * @param roles whom it concerns; `undefined`: everybody
   * @param tool which tool, of those in `domain`
   */
  add(
    draft: ChangeDraft,
    roles: readonly string[] | undefined,
    tool?: string,
    domain: ReadonlySet<string> = new Set(),
  ): void {
    const key = JSON.stringify([draftKey(draft), roles ?? null]);
    const known = this.#gathered.get(key);
    const tools = tool === undefined ? [] : [tool];
    if (known === undefined) this.#gathered.set(key, { draft, roles, tools: new Set(tools), domain });
    else for (const each of tools) known.tools.add(each);
  }

  /** The changes in order: by kind, by direction, then by users and tools. */
  finish(
    placed: (change: Omit<PolicyChange, "before" | "after">, rules: RulesAtWork) => PolicyChange,
  ): PolicyChange[] {
    const groups = new Map<string, Grouped>();
    for (const { draft, roles, tools, domain } of this.#gathered.values()) {
      const names = nameTools(tools, domain, this.#universe, draft.reference);
      const key = JSON.stringify([contentKey(draft), names.words, roles === undefined]);
      let group = groups.get(key);
      if (group === undefined) {
        group = { draft, names, roleSets: new Map(), before: new Set(), after: new Set() };
        groups.set(key, group);
      }
      if (roles !== undefined) group.roleSets.set(JSON.stringify(roles), roles);
      for (const rule of draft.before ?? []) group.before.add(rule);
      for (const rule of draft.after ?? []) group.after.add(rule);
    }
    const rows = [...groups.values()].map(({ draft, names, roleSets, before, after }) => {
      const sorted = [...roleSets.values()].sort((a, b) => compareCodePoints(a.join(), b.join()));
      const { kind, direction, path, example, together = false } = draft;
      const words = draft.words(whoWords(sorted), names.words);
      return placed(
        {
          kind,
          direction,
          words,
          roleSets: sorted,
          together,
          tools: names.names,
          ...(path === undefined ? {} : { path }),
          ...(example === undefined ? {} : { example }),
        },
        { before: [...before], after: [...after] },
      );
    });
    return rows.sort(
      (a, b) =>
        KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
        compareCodePoints(JSON.stringify(a.roleSets), JSON.stringify(b.roleSets)) ||
        compareCodePoints(a.tools.join(), b.tools.join()) ||
        compareCodePoints(a.words, b.words),
    );
  }
}

/** Equal for drafts that say the same by the same rules. */
function draftKey(draft: ChangeDraft): string {
  return JSON.stringify([
    contentKey(draft),
    draft.before ?? null,
    draft.after ?? null,
    draft.reference?.tool ?? null,
  ]);
}

/** Equal for drafts that say the same of users and tools that may differ. */
function contentKey({ kind, direction, words, path, example, together }: ChangeDraft): string {
  const parts = [kind, direction, words("", ""), path, example, together];
  return JSON.stringify(parts.map((part) => part ?? null));
}

/** Who is concerned, where no roles are named. */
export const EVERYBODY = "everybody";

/** Most users named in a sentence. */
const MAX_NAMED = 6;

/** `a` and `b`; a user with two roles is `a`+`b`. */
function whoWords(roleSets: readonly (readonly string[])[]): string {
  const each = roleSets.map((roles) => roles.map((role) => `\`${role}\``).join("+"));
  if (each.length === 0) return EVERYBODY;
  const shown =
    each.length > MAX_NAMED + 1 ? [...each.slice(0, MAX_NAMED), `${each.length - MAX_NAMED} more`] : each;
  const last = shown.pop() ?? "";
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}

import { compareCodePoints } from "d2-core";
import type { Change, ChangeCounts, ChangeGroup, ChangeKind, Changes } from "./change.js";

type Counts = { [kind in ChangeKind]: number };

const NONE: ChangeCounts = Object.freeze({ allow_to_deny: 0, deny_to_allow: 0, reason: 0, transforms: 0 });

/** Changes counted by one thing that they have in common. */
class Groups {
  readonly #max: number;
  readonly #groups = new Map<string, Counts>();
  ungrouped = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(name: string, kind: ChangeKind): void {
    let counts = this.#groups.get(name);
    if (counts === undefined) {
      if (this.#groups.size >= this.#max) {
        this.ungrouped += 1;
        return;
      }
      counts = { ...NONE };
      this.#groups.set(name, counts);
    }
    counts[kind] += 1;
  }

  get sorted(): ChangeGroup[] {
    const groups = [...this.#groups].map(([name, kinds]) => ({ name, changes: sum(kinds), kinds }));
    return groups.sort((a, b) => b.changes - a.changes || compareCodePoints(a.name, b.name));
  }
}

/** Collects changes: all as counts, the first ones as they are. */
export class ChangeList {
  readonly #maxExamples: number;
  readonly #kinds: Counts = { ...NONE };
  readonly #users: Groups;
  readonly #roles: Groups;
  readonly #tools: Groups;
  readonly #reasons: Groups;
  readonly #examples: Change[] = [];

  constructor(maxExamples: number, maxGroups: number) {
    this.#maxExamples = maxExamples;
    this.#users = new Groups(maxGroups);
    this.#roles = new Groups(maxGroups);
    this.#tools = new Groups(maxGroups);
    this.#reasons = new Groups(maxGroups);
  }

  add(change: Change): void {
    const { kind, user = "", roles, tool, before, after } = change;
    this.#kinds[kind] += 1;
    this.#users.add(user, kind);
    for (const role of roles.length === 0 ? [""] : roles) this.#roles.add(role, kind);
    this.#tools.add(tool, kind);
    this.#reasons.add(`${before.reason} -> ${after.reason}`, kind);
    if (this.#examples.length < this.#maxExamples) this.#examples.push(change);
  }

  get changes(): Changes {
    return {
      total: sum(this.#kinds),
      kinds: { ...this.#kinds },
      byUser: this.#users.sorted,
      byRole: this.#roles.sorted,
      byTool: this.#tools.sorted,
      byReason: this.#reasons.sorted,
      ungrouped: {
        user: this.#users.ungrouped,
        role: this.#roles.ungrouped,
        tool: this.#tools.ungrouped,
      },
      examples: this.#examples,
    };
  }
}

function sum(kinds: ChangeCounts): number {
  return kinds.allow_to_deny + kinds.deny_to_allow + kinds.reason + kinds.transforms;
}

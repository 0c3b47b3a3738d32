/**
 * "Can a tool of one set ever be called after one of another?" by trying every sequence of calls: written from
 * `spec/policy-language.md` for a policy as its author wrote it, sharing no code with the plan or with `analyze`.
 * Calls are made one after the other by one user, each returned and released, or failed. Input rules are left out.
 */
import type { AuthoredPolicy } from "./authored.js";
import { listOf } from "./authored.js";

/** Enough ids that every reference of a random policy names one, and one that only `*` names. */
const UNHEARD = ["db.unheard", "net/unheard", "mail:unheard", "t.unheard", "unheard"];

/** One tool for all that no rule tells apart, as what the rules say of it. */
interface Tool {
  readonly id: string;
  readonly labels: readonly string[];
  readonly blocks: readonly string[];
  readonly from: boolean;
  readonly to: boolean;
}

type Pattern = readonly ((tool: string) => boolean)[];

interface Role {
  readonly denyMode: boolean;
  readonly deny: readonly Pattern[];
  readonly allow: readonly Pattern[];
}

interface Made {
  readonly tool: Tool;
  readonly released: boolean;
}

export class BruteForce {
  readonly #policy: AuthoredPolicy;
  readonly #roles: readonly Role[];
  readonly #tools: readonly Tool[];
  readonly #facts: string[] = [];
  /** Calls that were decided. */
  decided = 0;

  constructor(
    policy: AuthoredPolicy,
    roles: readonly string[],
    from: string,
    to: string,
    ids: readonly string[],
  ) {
    this.#policy = policy;
    this.#roles = roles.map((role) => this.#sequenceRules(role));
    const steps = this.#roles.flatMap(({ deny, allow }) => [...deny, ...allow].flat());
    const flow = policy.metadata?.data_flow;
    const distinct = new Map<string, Tool>();
    for (const id of [...ids, ...UNHEARD].filter((tool) => this.#isGranted(tool, roles))) {
      const pairs = (of: Readonly<Record<string, unknown>> | undefined) => Object.entries(of ?? {});
      const tool: Tool = {
        id,
        labels: pairs(flow?.labels).flatMap(([reference, labels]) =>
          this.#names(reference, id) ? listOf(labels as string | readonly string[]) : [],
        ),
        blocks: pairs(flow?.blocks).flatMap(([label, references]) =>
          listOf(references as string | readonly string[]).some((it) => this.#names(it, id)) ? [label] : [],
        ),
        from: this.#names(from, id),
        to: this.#names(to, id),
      };
      const row = steps.map((step) => step(id));
      const key = JSON.stringify([row, tool.labels, tool.blocks, tool.from, tool.to]);
      // What no rule speaks of changes nothing for other calls.
      const idle = !row.includes(true) && tool.labels.length === 0 && !tool.from && !tool.to;
      const counted = idle && this.#roles.every(({ denyMode }) => !denyMode);
      if (!counted && !distinct.has(key)) distinct.set(key, tool);
    }
    this.#tools = [...distinct.values()];
  }

  /** How many calls the shortest sequence has, of at most `most`; nothing when there is none. */
  shortest(most: number): number | undefined {
    for (let length = 2; length <= most; length += 1) if (this.#reaches([], false, length)) return length;
    return undefined;
  }

  /** Whether the sequence can be completed with its last call, which is one of `to`, at this length. */
  #reaches(made: readonly Made[], begun: boolean, length: number): boolean {
    const last = made.length === length - 1;
    if (last && !begun) return false;
    for (const tool of this.#tools) {
      if (last ? !tool.to : false) continue;
      this.decided += 1;
      if (!this.#allowed(made, tool)) continue;
      if (last) return true;
      const added = tool.labels.length;
      this.#facts.push(...tool.labels);
      const found = [true, false].some((released) =>
        this.#reaches([...made, { tool, released }], begun || tool.from, length),
      );
      this.#facts.length -= added;
      if (found) return true;
    }
    return false;
  }

  #allowed(made: readonly Made[], next: Tool): boolean {
    if (next.blocks.some((label) => this.#facts.includes(label))) return false;
    for (const { deny, allow } of this.#roles) {
      for (const pattern of deny) {
        if (!pattern.at(-1)?.(next.id)) continue;
        for (const witness of ways(pattern, made, () => true))
          if (!allow.some((it) => it.at(-1)?.(next.id) === true && holds(it, made, witness))) return false;
      }
    }
    const strict = this.#roles.filter(({ denyMode }) => denyMode);
    return strict.length === 0 || strict.some(({ allow }) => allow.some((it) => permits(it, made, next)));
  }

  #isGranted(tool: string, roles: readonly string[]): boolean {
    let granted = false;
    for (const entry of this.#policy.policies) {
      if (!listOf(entry.role ?? entry.roles).some((role) => roles.includes(role))) continue;
      for (const item of listOf<string | { tool?: string; id?: string; allow?: boolean }>(
        entry.permissions,
      )) {
        const { tool: named, id, allow = true } = typeof item === "string" ? { tool: item } : item;
        if (!this.#names(named ?? id ?? "", tool)) continue;
        if (!allow) return false;
        granted = true;
      }
    }
    return granted;
  }

  #names(reference: string, tool: string): boolean {
    if (reference.startsWith("@"))
      return listOf(this.#policy.metadata?.tool_groups?.[reference.slice(1)]).some((it) =>
        this.#names(it, tool),
      );
    if (!reference.endsWith("*")) return tool === reference;
    const stem = reference.slice(0, -1);
    return tool.startsWith(stem) && tool.length > stem.length;
  }

  #sequenceRules(name: string): Role {
    const own = this.#policy.policies
      .filter(({ role, roles = role }) => listOf(roles).includes(name))
      .map(({ sequence = [] }) => ("length" in sequence ? { mode: "allow", rules: sequence } : sequence));
    const rules = own.flatMap((sequence) => sequence.rules ?? []);
    const patterns = (kind: "deny" | "allow") =>
      rules
        .filter((rule) => rule[kind] !== undefined)
        .map((rule) => listOf(rule[kind]).map((step) => (tool: string) => this.#names(step, tool)));
    const denyMode = own.some(({ mode }) => mode === "deny");
    return { denyMode, deny: patterns("deny"), allow: patterns("allow") };
  }
}

/** The positions of every way in which the steps before the last occur. */
function* ways(
  pattern: Pattern,
  made: readonly Made[],
  counts: (call: Made) => boolean,
  chosen: readonly number[] = [],
): Generator<readonly number[]> {
  if (chosen.length === pattern.length - 1) {
    yield chosen;
    return;
  }
  for (let at = (chosen.at(-1) ?? -1) + 1; at < made.length; at += 1) {
    const call = made[at];
    if (call !== undefined && counts(call) && pattern[chosen.length]?.(call.tool.id) === true)
      yield* ways(pattern, made, counts, [...chosen, at]);
  }
}

/** Whether one way in which an allow pattern occurs, among the calls that count, contains these positions. */
function holds(pattern: Pattern, made: readonly Made[], positions: readonly number[]): boolean {
  for (const way of ways(pattern, made, ({ released }) => released))
    if (positions.every((position) => way.includes(position))) return true;
  return false;
}

function permits(pattern: Pattern, made: readonly Made[], next: Tool): boolean {
  if (pattern.at(-1)?.(next.id) === true && holds(pattern, made, [])) return true;
  const line = [...made.filter(({ released }) => released).map(({ tool }) => tool), next];
  return line.every(({ id }, at) => pattern[at]?.(id) === true);
}

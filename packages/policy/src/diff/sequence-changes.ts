import { type Decision, formatDocumentPath } from "d2-core";
import { blockingLabels, type UniverseTool } from "../reach/tool-universe.js";
import { type ChangeDraft, type ChangeList, EVERYBODY } from "./change-list.js";
import type { ExampleCall } from "./policy-diff.js";
import type { PolicySide } from "./policy-side.js";
import { ruleKey, type SliceSearchOptions, searchSlices } from "./search-slices.js";
import type { FoundSequence, SearchedSequences } from "./sequence-search.js";

/** Most sequences told of each user, of those opened and of those closed. */
const MAX_EXAMPLES = 5;

/** What all searches of a diff may spend together, in calls that few patterns follow, each at most its share of what is left. */
const MAX_COST = 50_000;

/** Compares what may follow what. */
export class SequenceComparison {
  readonly #before: PolicySide;
  readonly #after: PolicySide;
  readonly #universe: readonly UniverseTool[];
  readonly #maxStates: number;
  readonly #labels: ReadonlySet<string>;
  /** Rules found to decide otherwise, whoever the user was. */
  readonly #told = new Set<string>();
  #left = MAX_COST;
  #searchesLeft: number;
  readonly #rewritten = new Map<string, boolean>();
  incomplete = false;

  constructor(
    before: PolicySide,
    after: PolicySide,
    universe: readonly UniverseTool[],
    maxStates: number,
    users: readonly (readonly string[])[],
  ) {
    this.#before = before;
    this.#after = after;
    this.#universe = universe;
    this.#maxStates = maxStates;
    this.#labels = blockingLabels([before.document, after.document]);
    this.#searchesLeft = users.reduce((sum, roles) => sum + this.#searchesOf(roles), 1);
  }

  /**
   * For a user with exactly these roles, over the tools that both policies grant.
   *
   * @param tools those tools
   * @param judgedOtherwise those of them whose outputs are judged differently
   */
  add(
    list: ChangeList,
    roles: readonly string[],
    tools: ReadonlySet<string>,
    judgedOtherwise: ReadonlySet<string>,
  ): void {
    const rewritten = this.#isRewritten(roles);
    // Which values are refused matters where what has come so far must be exactly so.
    const parting = this.#isListed(roles) ? judgedOtherwise : new Set<string>();
    if (!rewritten && !this.#labelsDiffer(tools) && parting.size === 0) {
      this.#searchesLeft -= this.#searchesOf(roles);
      return;
    }
    const own = this.#search(roles, [...tools], parting, (walk, state, tool) => walk.denial(state, tool));
    const told = this.#list(list, own, roles, false);
    if (!rewritten || roles.length > 1) return;
    // The rules of a role bind users who have their tools from other roles.
    const forbidden = (tool: string) =>
      [this.#before, this.#after].some((side) => side.access(roles, tool).forbids.length > 0);
    const wide = this.#search(
      roles,
      this.#universe.map(({ tool }) => tool).filter((tool) => !forbidden(tool)),
      new Set(),
      (walk, state, tool) => walk.sequenceDenial(state, tool) ?? walk.flowDenial(state, tool),
    );
    const more = this.#list(list, without(wide, own), roles, true);
    if (told || more || own.incomplete || wide.incomplete) return;
    list.add(
      rewrittenDraft(this.#rulePlaces(this.#before, roles), this.#rulePlaces(this.#after, roles)),
      roles,
    );
  }

  /**
   * For users whose roles together grant what no single role does: only labels can matter to them all.
   *
   * @param tools granted to somebody in both policies
   */
  addFlows(list: ChangeList, tools: ReadonlySet<string>): void {
    if (!this.#labelsDiffer(tools)) return;
    const searched = this.#search([], [...tools], new Set(), (walk, state, tool) =>
      walk.flowDenial(state, tool),
    );
    const found = searched.found.filter((it) => !this.#told.has(ruleKey(it)));
    this.#list(list, { ...searched, found }, undefined, true);
  }

  #isRewritten(roles: readonly string[]): boolean {
    const key = JSON.stringify(roles);
    const known = this.#rewritten.get(key);
    if (known !== undefined) return known;
    const rewritten = this.#rulesText(this.#before, roles) !== this.#rulesText(this.#after, roles);
    this.#rewritten.set(key, rewritten);
    return rewritten;
  }

  /** How many searches a user may take, as far as the rules tell. */
  #searchesOf(roles: readonly string[]): number {
    if (this.#isRewritten(roles)) return roles.length > 1 ? 1 : 2;
    return this.#labels.size > 0 ? 1 : 0;
  }

  #search(
    roles: readonly string[],
    tools: readonly string[],
    judgedOtherwise: ReadonlySet<string>,
    denial: SliceSearchOptions["denial"],
  ): SearchedSequences {
    const searched = searchSlices({
      plans: [this.#before.plan, this.#after.plan],
      roles,
      tools,
      labels: this.#labels,
      judgedOtherwise,
      denial,
      maxStates: this.#maxStates,
      maxCost: Math.ceil(this.#left / Math.max(1, this.#searchesLeft)),
      told: (decision, tool) => this.#isBlockChange(decision, tool),
    });
    this.#searchesLeft -= 1;
    this.#left = Math.max(0, this.#left - searched.spent);
    return searched;
  }

  /** Whether anything was told. */
  #list(
    list: ChangeList,
    { found, states, incomplete }: SearchedSequences,
    roles: readonly string[] | undefined,
    together: boolean,
  ): boolean {
    for (const kind of ["sequence_opened", "sequence_closed"] as const) {
      const own = found.filter((it) => it.kind === kind);
      for (const it of own) this.#told.add(ruleKey(it));
      for (const it of own.slice(0, MAX_EXAMPLES)) list.add(sequenceDraft(it, together, own.length), roles);
    }
    if (incomplete) {
      this.incomplete = true;
      list.add(stoppedDraft(states, together), roles);
    }
    return found.length > 0;
  }

  /** A label that blocks the tool in one policy only is a change of its own. */
  #isBlockChange({ layer, detail }: Decision, tool: string): boolean {
    if (layer !== "data_flow" || detail === undefined) return false;
    const blocks = ({ plan }: PolicySide) => plan.blocksOf(tool).some(({ label }) => label === detail);
    return blocks(this.#before) !== blocks(this.#after);
  }

  /** Whether an allow list holds the user in the new policy. */
  #isListed(roles: readonly string[]): boolean {
    const { space } = this.#after.plan.view(roles);
    return space?.program.roles.some(({ allowListed }) => allowListed) === true;
  }

  #labelsDiffer(tools: ReadonlySet<string>): boolean {
    if (this.#labels.size === 0) return false;
    const labels = ({ plan }: PolicySide, tool: string) =>
      plan
        .labelsOf(tool)
        .filter((label) => this.#labels.has(label))
        .sort()
        .join("\n");
    return [...tools].some((tool) => labels(this.#before, tool) !== labels(this.#after, tool));
  }

  /** Equal for rules that are the same but for their place, groups resolved. */
  #rulesText({ document, matcher }: PolicySide, roles: readonly string[]): string {
    const stepText = (step: string): string => {
      const { any, exact, prefixes } = matcher(step);
      return JSON.stringify([any, [...exact].sort(), [...prefixes].sort()]);
    };
    return JSON.stringify(
      roles.map((role) => {
        const own = document.policies.filter((entry) => entry.roles.includes(role));
        const sequences = own.flatMap(({ sequence }) => (sequence === undefined ? [] : [sequence]));
        const rules = sequences.flatMap((sequence) => sequence.rules);
        const texts = rules.map(({ kind, steps }) => JSON.stringify([kind, steps.map(stepText)]));
        return [sequences.some(({ mode }) => mode === "deny"), [...new Set(texts)].sort()];
      }),
    );
  }

  #rulePlaces({ document }: PolicySide, roles: readonly string[]): string[] {
    return document.policies
      .filter((entry) => entry.roles.some((role) => roles.includes(role)))
      .flatMap(({ sequence }) => (sequence === undefined ? [] : [formatDocumentPath(sequence.at)]));
  }
}

/** What the sequence rules decide otherwise beyond what was found before. What labels do is told of everybody together. */
function without(searched: SearchedSequences, other: SearchedSequences): SearchedSequences {
  const known = new Set(other.found.map(ruleKey));
  const isNew = (it: FoundSequence) => it.denial.layer === "sequence" && !known.has(ruleKey(it));
  return { ...searched, found: searched.found.filter(isNew) };
}

function sequenceDraft(
  { kind, denial, calls }: FoundSequence,
  together: boolean,
  count: number,
): ChangeDraft {
  const closed = kind === "sequence_closed";
  const rule = denial.rule === undefined ? [] : [denial.rule];
  const last = calls.at(-1);
  const earlier = calls.slice(0, -1);
  const after = earlier.length === 0 ? "first of all" : `after ${earlier.map(callWords).join(", ")}`;
  const why =
    denial.layer === "data_flow" && denial.detail !== undefined
      ? ` (data labelled \`${denial.detail}\`)`
      : "";
  const more = count > MAX_EXAMPLES ? `; one of ${count} such rules` : "";
  const may = closed ? "may no longer call" : "may now call";
  const says = `${may} \`${last?.tool ?? ""}\` ${after}${why}${more}`;
  return {
    kind,
    direction: closed ? "tightened" : "loosened",
    words: (who) => {
      if (!together) return `${who} ${says}`;
      return who === EVERYBODY
        ? `users whose roles together grant it ${says}`
        : `${who}, with tools from other roles, ${says}`;
    },
    before: closed ? [] : rule,
    after: closed ? rule : [],
    example: calls,
    together,
  };
}

function callWords({ tool, ended }: ExampleCall): string {
  switch (ended) {
    case "released":
    case "next":
      return `\`${tool}\``;
    case "failed":
      return `\`${tool}\` that failed`;
    case "released_before":
      return `\`${tool}\` whose output is now refused`;
  }
}

function stoppedDraft(states: number, together: boolean): ChangeDraft {
  return {
    kind: "search_stopped",
    direction: "changed",
    words: (who) =>
      `the search for what ${who} may call after what stopped at ${states} states: more may be opened or closed`,
    together,
  };
}

function rewrittenDraft(before: readonly string[], after: readonly string[]): ChangeDraft {
  return {
    kind: "sequence_rewritten",
    direction: "neutral",
    words: (who) => `the sequence rules of ${who} are written otherwise and decide the same`,
    before,
    after,
  };
}

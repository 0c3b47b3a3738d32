import {
  type CallVerdict,
  compileToolMatcher,
  formatDocumentPath,
  type Layer,
  type PolicyDocument,
  type Release,
  type Session,
  type ToolMatcher,
} from "d2-core";
import type { Locate } from "../locate.js";
import { COVERAGE_KINDS, type Coverage, type CoverageItem, type Outcome, shareOf } from "./coverage.js";
import { coverageItems, type ItemDraft, itemKey } from "./coverage-items.js";
import { inputOutcomes } from "./input-coverage.js";
import { outputOutcomes } from "./output-coverage.js";
import type { PolicyTest, TestCall } from "./policy-tests.js";
import type { Witness } from "./run-test.js";
import { sequenceOutcomes } from "./sequence-coverage.js";

/** Counts what tests see a policy do. */
export class CoverageTally implements Witness {
  readonly #document: PolicyDocument;
  readonly #items: readonly ItemDraft[];
  readonly #hits = new Map<string, number>();
  readonly #matchers = new Map<string, ToolMatcher>();

  constructor(document: PolicyDocument) {
    this.#document = document;
    this.#items = coverageItems(document);
  }

  called(
    { user }: PolicyTest,
    { tool, names, args }: TestCall,
    verdict: CallVerdict,
    session: Session,
  ): void {
    const { entry, decision } = verdict;
    if (user === undefined || entry === undefined) return;
    const reached = (layer: Layer) => RANKS[decision.layer] >= RANKS[layer];
    const granted = reached("sequence");
    this.#count([
      ...user.roles.map((role): Outcome => [itemKey.role(role), "used"]),
      ...this.#permissions(user.roles, tool, granted),
      ...(granted ? sequenceOutcomes(entry, session) : []),
      ...(reached("data_flow")
        ? entry.blocks.map(({ label, denial }): Outcome => {
            return [itemKey.rule(denial.rule ?? ""), session.facts.has(label) ? "blocked" : "passed"];
          })
        : []),
      ...(reached("input") && entry.input !== undefined ? inputOutcomes(entry.input, names, args) : []),
      ...(decision.outcome === "allow" ? this.#labels(tool) : []),
    ]);
  }

  released({ entry }: CallVerdict, value: unknown, release: Release): void {
    if (entry?.output !== undefined) this.#count(outputOutcomes(entry.output, value, release));
  }

  coverage(locate: Locate | undefined, policyFile: string | undefined): Coverage {
    const all = this.#items.map(({ key, kind, rule, words, outcomes }): CoverageItem => {
      const place = locate?.(rule);
      return {
        kind,
        rule,
        words,
        ...(place === undefined ? {} : { line: place.line, column: place.column }),
        outcomes: outcomes.map((outcome) => ({ outcome, hits: this.#hits.get(nameOf(key, outcome)) ?? 0 })),
      };
    });
    const kinds = COVERAGE_KINDS.map((kind) => ({ kind, items: all.filter((item) => item.kind === kind) }));
    const items = kinds.flatMap((group) => group.items);
    return {
      policyFile,
      ...shareOf(items),
      kinds: kinds
        .filter((group) => group.items.length > 0)
        .map((group) => ({ kind: group.kind, ...shareOf(group.items) })),
      items,
    };
  }

  /** Counts outcomes of one call; a rule that concerns it in two ways is seen once. */
  #count(outcomes: readonly Outcome[]): void {
    for (const name of new Set(outcomes.map(([key, outcome]) => nameOf(key, outcome)))) {
      this.#hits.set(name, (this.#hits.get(name) ?? 0) + 1);
    }
  }

  #permissions(roles: readonly string[], tool: string, granted: boolean): Outcome[] {
    const held = this.#document.policies.filter((entry) => entry.roles.some((role) => roles.includes(role)));
    return held
      .flatMap((entry) => entry.permissions)
      .filter(({ allow, tool: reference }) => allow === granted && this.#matches(reference, tool))
      .map(({ allow, at }) => [itemKey.rule(formatDocumentPath(at)), allow ? "granted" : "forbade"]);
  }

  #labels(tool: string): Outcome[] {
    return this.#document.labels
      .filter((rule) => this.#matches(rule.tool, tool))
      .map(({ at }) => [itemKey.rule(formatDocumentPath(at)), "given"]);
  }

  #matches(reference: string, tool: string): boolean {
    let matcher = this.#matchers.get(reference);
    if (matcher === undefined) {
      const group = this.#document.toolGroups.find(({ name }) => `@${name}` === reference);
      matcher = compileToolMatcher(group?.tools ?? [reference]);
      this.#matchers.set(reference, matcher);
    }
    return matcher.matches(tool);
  }
}

/** The order in which layers are asked; the layer of a call that is allowed, or whose deciding failed, is `none`. */
const RANKS: { readonly [Name in Layer]: number } = {
  policy_state: 0,
  context: 1,
  permission: 2,
  sequence: 3,
  data_flow: 4,
  input: 5,
  output: 6,
  none: 7,
};

function nameOf(key: string, outcome: string): string {
  return `${outcome} ${key}`;
}

import { deny } from "../decision.js";
import type { PolicyDocument } from "../document/document.js";
import { formatDocumentPath } from "../document/fault.js";
import { compileToolMatcher, type ToolMatcher } from "../document/tool-reference.js";
import type { InputPlan } from "../input/compile-input.js";
import type { OutputPlan } from "../output/compile-output.js";
import { compileRoles, type RolePlans, type SpecialPermission } from "./role-plan.js";
import { bindInput, bindOutput, RoleView, type ToolFacts } from "./role-view.js";
import type { Block } from "./tool-entry.js";

/** Most role sets whose merged rules are kept; beyond it they are merged anew when next asked for. */
const MAX_VIEWS = 1024;

/** What a plan needs besides the document. */
export interface PlanFacts {
  /** Instant from which every call is denied, in milliseconds since 1970-01-01T00:00:00Z; absent: never. */
  readonly expiresAt?: number | undefined;
}

/**
 * A policy, compiled once: frozen but for caches that never change an answer. Ask it through `decideCall` and
 * `decideRelease`.
 */
export class Plan implements ToolFacts {
  readonly expiresAt: number | undefined;
  readonly #roles: RolePlans;
  readonly #labels: readonly { readonly matcher: ToolMatcher; readonly labels: readonly string[] }[];
  readonly #blocks: readonly { readonly matcher: ToolMatcher; readonly block: Block }[];
  readonly #matcher: (reference: string) => ToolMatcher;
  readonly #views = new Map<string, RoleView>();
  /** Those of users with one role, by its name. */
  readonly #soleViews = new Map<string, RoleView>();
  readonly #inputs = new Map<string, InputPlan | undefined>();
  readonly #outputs = new Map<string, OutputPlan | undefined>();

  constructor(document: PolicyDocument, facts: PlanFacts = {}) {
    this.expiresAt = facts.expiresAt;
    this.#matcher = referenceMatcher(document);
    this.#roles = compileRoles(document, this.#matcher);
    this.#labels = document.labels.map(({ tool, labels }) => ({ matcher: this.#matcher(tool), labels }));
    this.#blocks = document.blocks.flatMap(({ label, tools, at }) => {
      const block = {
        label,
        denial: deny("data_flow_violation", "data_flow", { rule: formatDocumentPath(at), detail: label }),
      };
      return tools.map((tool) => ({ matcher: this.#matcher(tool), block }));
    });
    // Patterns are bound now, so that whatever is wrong with them is found before the first call.
    for (const { conditioned } of this.#roles.roles.values()) {
      for (const special of conditioned) {
        this.inputPlan([special]);
        this.outputPlan([special]);
      }
    }
    this.#warmUp();
  }

  /** Merges the rules of one role for one tool: what runs for the first time is slow, and no call should wait for it. */
  #warmUp(): void {
    const [role] = this.roleNames;
    const [tool = ""] = this.#roles.tools.keys();
    this.view(role === undefined ? [] : [role]).entry(tool);
  }

  /** The merged rules of a set of role names. Names the policy does not know add nothing. */
  view(roles: readonly string[]): RoleView {
    // Most users hold one role, and every session asks once.
    const [first] = roles;
    const sole = roles.length === 1 && first !== undefined ? this.#soleViews.get(first) : undefined;
    if (sole !== undefined) return sole;
    const view = this.#viewOf(roles);
    if (roles.length === 1 && first !== undefined && this.#roles.roles.has(first))
      this.#soleViews.set(first, view);
    return view;
  }

  #viewOf(roles: readonly string[]): RoleView {
    const known = [...new Set(roles)].filter((role) => this.#roles.roles.has(role)).sort();
    const key = JSON.stringify(known);
    const cached = this.#views.get(key);
    if (cached !== undefined) return cached;
    if (this.#views.size >= MAX_VIEWS) {
      this.#views.clear();
      this.#soleViews.clear();
    }
    const view = new RoleView(this, this.#roles, known, this.#matcher);
    this.#views.set(key, view);
    return view;
  }

  /** Labels that a call to the tool puts among the session's facts. */
  labelsOf(tool: string): readonly string[] {
    const labels = new Set<string>();
    for (const rule of this.#labels) {
      if (rule.matcher.matches(tool)) for (const label of rule.labels) labels.add(label);
    }
    return [...labels];
  }

  /** Blocks that concern the tool, in document order. */
  blocksOf(tool: string): readonly Block[] {
    return this.#blocks.filter(({ matcher }) => matcher.matches(tool)).map(({ block }) => block);
  }

  /** The input rules of some permissions as one plan; the same permissions give the same plan. */
  inputPlan(specials: readonly SpecialPermission[]): InputPlan | undefined {
    return remembered(this.#inputs, specials, bindInput);
  }

  /** The output rules of some permissions as one plan; the same permissions give the same plan. */
  outputPlan(specials: readonly SpecialPermission[]): OutputPlan | undefined {
    return remembered(this.#outputs, specials, bindOutput);
  }

  /** The roles the policy speaks of, in document order. */
  get roleNames(): readonly string[] {
    return [...this.#roles.roles.keys()];
  }
}

/** Most bound rule sets kept of each kind. */
const MAX_BOUND = 4096;

function remembered<T>(
  cache: Map<string, T>,
  specials: readonly SpecialPermission[],
  bind: (specials: readonly SpecialPermission[]) => T,
): T {
  const key = specials.map((special) => special.order).join();
  const known = cache.get(key);
  if (known !== undefined || cache.has(key)) return known as T;
  if (cache.size >= MAX_BOUND) cache.clear();
  const bound = bind(specials);
  cache.set(key, bound);
  return bound;
}

/** Compiles a checked document. Total: a document that passed the check compiles. */
export function compilePlan(document: PolicyDocument, facts: PlanFacts = {}): Plan {
  return new Plan(document, facts);
}

/** Resolves tool references, each distinct one once. */
function referenceMatcher(document: PolicyDocument): (reference: string) => ToolMatcher {
  const groups = new Map(document.toolGroups.map((group) => [`@${group.name}`, group.tools]));
  const matchers = new Map<string, ToolMatcher>();
  return (reference) => {
    const known = matchers.get(reference);
    if (known !== undefined) return known;
    const matcher = compileToolMatcher(groups.get(reference) ?? [reference]);
    matchers.set(reference, matcher);
    return matcher;
  };
}

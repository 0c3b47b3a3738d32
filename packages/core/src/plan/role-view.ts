import { ALLOW, type Decision, deny } from "../decision.js";
import { formatDocumentPath } from "../document/fault.js";
import type { ToolMatcher } from "../document/tool-reference.js";
import { compileInput, type InputPlan } from "../input/compile-input.js";
import { compileOutput, type OutputPlan } from "../output/compile-output.js";
import { compileSequence, type RoleRules } from "../sequence/program.js";
import { SequenceSpace } from "../sequence/space.js";
import {
  hasBit,
  hasOutputRules,
  inputRules,
  type RolePlan,
  type RolePlans,
  type SpecialPermission,
} from "./role-plan.js";
import type { Block, CallVerdict, ToolEntry } from "./tool-entry.js";

/** Most tools whose entry is kept a view. */
const MAX_ENTRIES = 20_000;

/** What a view asks of the plan as a whole. */
export interface ToolFacts {
  labelsOf(tool: string): readonly string[];
  blocksOf(tool: string): readonly Block[];
  inputPlan(specials: readonly SpecialPermission[]): InputPlan | undefined;
  outputPlan(specials: readonly SpecialPermission[]): OutputPlan | undefined;
}

type Rules = Omit<ToolEntry, "allowed" | "always">;

/** Shared, so that looking at what most tools have none of stays in one place of memory. */
const NONE: readonly never[] = Object.freeze([]);

class Entry implements ToolEntry {
  readonly tool: string;
  readonly denial: Decision | undefined;
  readonly labels: readonly string[];
  readonly blocks: readonly Block[];
  readonly space: SequenceSpace | undefined;
  readonly toolClass: number;
  readonly input: InputPlan | undefined;
  readonly output: OutputPlan | undefined;
  readonly allowed: CallVerdict;
  readonly always: CallVerdict | undefined;
  constructor(rules: Rules) {
    this.tool = rules.tool;
    this.denial = rules.denial;
    this.labels = rules.labels.length === 0 ? NONE : rules.labels;
    this.blocks = rules.blocks.length === 0 ? NONE : rules.blocks;
    this.space = rules.space;
    this.toolClass = rules.toolClass;
    this.input = rules.input;
    this.output = rules.output;
    this.allowed = Object.freeze({ decision: ALLOW, args: undefined, entry: this });
    this.always = this.#unconditional();
    Object.freeze(this);
  }

  #unconditional(): CallVerdict | undefined {
    const { denial, space, blocks, input } = this;
    if (denial !== undefined) return Object.freeze({ decision: denial, args: undefined, entry: this });
    return space === undefined && blocks.length === 0 && input === undefined ? this.allowed : undefined;
  }
}

const MISSING = deny("missing_policy", "permission");
const NOT_GRANTED = deny("rbac_denied", "permission");

/** The rules of a set of roles, merged. One is shared by all sessions whose user holds those roles. */
export class RoleView {
  /** The roles of the user that the policy knows, sorted. */
  readonly roles: readonly string[];
  readonly #facts: ToolFacts;
  readonly #plans: RolePlans;
  readonly #own: readonly RolePlan[];
  readonly #space: SequenceSpace | undefined;
  readonly #entries = new Map<string, ToolEntry>();
  /** Some of the entries again, by the slot of their tool. No holes in it, which would make it slow. */
  readonly #slots: (ToolEntry | undefined)[] = [];

  constructor(
    facts: ToolFacts,
    plans: RolePlans,
    roles: readonly string[],
    matcher: (reference: string) => ToolMatcher,
  ) {
    this.roles = Object.freeze(roles.slice());
    this.#facts = facts;
    this.#plans = plans;
    const held = new Set(roles);
    const own = [...plans.roles].filter(([role]) => held.has(role)).map(([, plan]) => plan);
    this.#own = own;
    const rules = own.map((plan) => plan.sequence).filter((it): it is RoleRules => it !== undefined);
    this.#space = rules.length === 0 ? undefined : new SequenceSpace(compileSequence(rules, matcher));
  }

  /** The automaton of the roles' sequence rules; absent when they have none. */
  get space(): SequenceSpace | undefined {
    return this.#space;
  }

  /**
   * The rules for a tool.
   *
   * @param slot a small number that the caller has for this tool id and no other, so that it is found without hashing
   */
  entry(tool: string, slot = -1): ToolEntry {
    if (slot < 0) return this.#byName(tool);
    const known = this.#slots[slot];
    // INVARIANT: a slot given to two tools costs time and nothing else.
    if (known !== undefined && known.tool === tool) return known;
    const entry = this.#byName(tool);
    if (slot >= MAX_ENTRIES) return entry;
    while (this.#slots.length <= slot) this.#slots.push(undefined);
    this.#slots[slot] = entry;
    return entry;
  }

  #byName(tool: string): ToolEntry {
    const known = this.#entries.get(tool);
    if (known !== undefined) return known;
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.clear();
    const entry = this.#build(tool);
    this.#entries.set(tool, entry);
    return entry;
  }

  #build(tool: string): ToolEntry {
    const labels = this.#facts.labelsOf(tool);
    const blocks = this.#facts.blocksOf(tool);
    const conditioned = distinct(
      this.#own.flatMap((plan) => plan.conditioned),
      tool,
    );
    return new Entry({
      tool,
      denial: this.#permission(tool, conditioned.length > 0),
      labels,
      blocks,
      space: this.#space,
      toolClass: this.#space?.program.classOf(tool) ?? 0,
      input: this.#facts.inputPlan(conditioned.filter((it) => inputRules(it).length > 0)),
      output: this.#facts.outputPlan(conditioned.filter((it) => hasOutputRules(it.permission))),
    });
  }

  #permission(tool: string, conditioned: boolean): Decision | undefined {
    const forbidden = distinct(
      this.#own.flatMap((plan) => plan.forbidden),
      tool,
    )[0];
    if (forbidden !== undefined) {
      return deny("rbac_denied", "permission", { rule: formatDocumentPath(forbidden.permission.at) });
    }
    if (conditioned) return undefined;
    const bit = this.#plans.tools.get(tool);
    const granted = this.#own.some(
      (plan) =>
        (bit !== undefined && hasBit(plan.granted, bit)) || plan.patterns.some((it) => it.matches(tool)),
    );
    if (granted) return undefined;
    return this.#plans.mentions(tool) ? NOT_GRANTED : MISSING;
  }
}

/** The permissions that match the tool, each once (an entry of several roles is one permission), in document order. */
function distinct(specials: readonly SpecialPermission[], tool: string): SpecialPermission[] {
  const byOrder = new Map<number, SpecialPermission>();
  for (const special of specials) if (special.matcher.matches(tool)) byOrder.set(special.order, special);
  return [...byOrder.values()].sort((a, b) => a.order - b.order);
}

/** Binds the input rules of some permissions into one plan. */
export function bindInput(specials: readonly SpecialPermission[]): InputPlan | undefined {
  return compileInput(specials.flatMap(inputRules));
}

/** Binds the output rules of some permissions, in document order, into one plan. */
export function bindOutput(specials: readonly SpecialPermission[]): OutputPlan | undefined {
  return compileOutput(specials.map(({ permission }) => ({ permission })));
}

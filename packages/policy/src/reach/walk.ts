import {
  compareCodePoints,
  type Decision,
  deny,
  MAX_STEPS,
  type Plan,
  type RoleView,
  type SequenceNode,
  type SequenceSpace,
} from "d2-core";

/** Where a session stands: what the sequence rules and the blocks can still remember of its calls. */
export interface WalkState {
  /** Equal for equal states of walks that were made alike. */
  readonly key: string;
  /** Where the sequence rules stand; absent when the roles have none. */
  readonly node: SequenceNode | undefined;
  /** The labels that count, in code point order. */
  readonly facts: readonly string[];
}

export interface WalkOptions {
  /** The labels that are remembered. Default: all. `blockingLabels` gives those that can matter. */
  readonly labels?: ReadonlySet<string> | undefined;
  /** Sequence rules to go by instead of those of the roles; they must know the same tool classes. */
  readonly space?: SequenceSpace | undefined;
  /** Whether states are interned. A search that keeps its own does without. Default: true. */
  readonly interned?: boolean | undefined;
  /** Where the sequence rules stand at first. Default: where an empty session stands. */
  readonly start?: SequenceNode | undefined;
}

/**
 * A policy as an automaton, for one user with fixed roles and one session whose calls are made one after the other, each
 * ended before the next begins. Arguments and outputs are free: input rules deny nothing here, and any call may be
 * released or fail. Where calls overlap, `docs/analysis.md` says what follows from it.
 *
 * States are interned: within one walk equal states are the same object. They are kept as long as the walk is.
 */
export class Walk {
  readonly view: RoleView;
  readonly initial: WalkState;
  readonly #labels: ReadonlySet<string> | undefined;
  readonly #space: SequenceSpace | undefined;
  readonly #states: Map<string, WalkState> | undefined;

  constructor(plan: Plan, roles: readonly string[], options: WalkOptions = {}) {
    this.view = plan.view(roles);
    this.#labels = options.labels;
    this.#states = options.interned === false ? undefined : new Map();
    this.#space = options.space ?? this.view.space;
    this.initial = this.#intern(options.start ?? emptyHistory(this.#space), []);
  }

  /**
   * Why a call of the tool may not come next; nothing when it may. The first of permission, sequence and data flow that
   * says no, as the guard would answer it.
   */
  denial(state: WalkState, tool: string): Decision | undefined {
    return this.view.entry(tool).denial ?? this.sequenceDenial(state, tool) ?? this.flowDenial(state, tool);
  }

  /** What the sequence rules alone say. */
  sequenceDenial(state: WalkState, tool: string): Decision | undefined {
    if (this.#space === undefined || state.node === undefined) return undefined;
    const found = this.#space.denial(state.node, this.view.entry(tool).toolClass);
    if (found === undefined) return undefined;
    const { rule, reason } = found;
    const facts = reason === undefined ? { rule } : { rule, detail: reason };
    return deny("sequence_violation", "sequence", facts);
  }

  /** What the blocks alone say. */
  flowDenial({ facts }: WalkState, tool: string): Decision | undefined {
    if (facts.length === 0) return undefined;
    return this.view.entry(tool).blocks.find(({ label }) => facts.includes(label))?.denial;
  }

  /** The state after an allowed call of the tool that returned and was released. */
  released(state: WalkState, tool: string): WalkState {
    return this.#after(state, tool, true);
  }

  /** The state after an allowed call of the tool that threw, or whose value was refused. */
  failed(state: WalkState, tool: string): WalkState {
    return this.#after(state, tool, false);
  }

  /** Equal for tools that no state of this walk tells apart. Input and output rules are not in it. */
  kind(tool: string): string {
    const { denial, toolClass, labels, blocks } = this.view.entry(tool);
    if (denial !== undefined) return JSON.stringify([denial.reason, denial.rule ?? null]);
    return JSON.stringify([toolClass, this.#counted(labels), blocks.map(({ label }) => label)]);
  }

  #after(state: WalkState, tool: string, released: boolean): WalkState {
    const { labels, toolClass } = this.view.entry(tool);
    const node = state.node === undefined ? undefined : this.#space?.after(state.node, toolClass, released);
    const added = labels.length === 0 ? labels : this.#counted(labels);
    if (added.every((label) => state.facts.includes(label))) return this.#intern(node, state.facts);
    return this.#intern(node, [...new Set([...state.facts, ...added])].sort(compareCodePoints));
  }

  #counted(labels: readonly string[]): readonly string[] {
    const only = this.#labels;
    return only === undefined ? labels : labels.filter((label) => only.has(label));
  }

  #intern(node: SequenceNode | undefined, facts: readonly string[]): WalkState {
    const key = `${facts.length === 0 ? "" : JSON.stringify(facts)} ${node?.state.key ?? ""}`;
    const known = this.#states?.get(key);
    if (known !== undefined) return known;
    const state = Object.freeze({ key, node, facts: Object.freeze(facts.slice()) });
    this.#states?.set(key, state);
    return state;
  }
}

/**
 * Where an empty session stands. Roles that ask nothing of the exact history stand from the start where any call would
 * lead them, so that a call which changes nothing leads back to the same state.
 */
function emptyHistory(space: SequenceSpace | undefined): SequenceNode | undefined {
  return space?.intern(
    space.initial.state.roles.map((role) =>
      role.exact.patterns.length > 0 ? role : { ...role, exact: { count: MAX_STEPS, patterns: [] } },
    ),
  );
}

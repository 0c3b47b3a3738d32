import type { SequenceProgram } from "./program.js";
import {
  afterCall,
  denialOf,
  initialRole,
  keyOf,
  type RoleState,
  type SequenceDenial,
  type SequenceState,
} from "./state.js";

/** A state with the transitions found so far. Treat it as a value: what it caches never changes what it means. */
export interface SequenceNode {
  readonly state: SequenceState;
  /** By tool class: after a call that was released, and after one that failed. */
  readonly released: (SequenceNode | undefined)[];
  readonly failed: (SequenceNode | undefined)[];
  /** By tool class; null: may follow. */
  readonly denials: (SequenceDenial | null | undefined)[];
}

/** Most states kept interned at once. */
const MAX_NODES = 4096;

/**
 * The automaton of a program, built as far as it is walked. Sessions share it. From `initial` every state that calls
 * made one after the other can lead to is found by `after`, so questions about what can ever follow what are a finite
 * search.
 */
export class SequenceSpace {
  readonly program: SequenceProgram;
  readonly initial: SequenceNode;
  readonly #nodes = new Map<string, SequenceNode>();

  constructor(program: SequenceProgram) {
    this.program = program;
    this.initial = this.intern(program.roles.map(initialRole));
  }

  /** The one node for this state. */
  intern(roles: readonly RoleState[]): SequenceNode {
    const key = keyOf(roles);
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    if (this.#nodes.size >= MAX_NODES) this.#clear();
    const node: SequenceNode = { state: { key, roles }, released: [], failed: [], denials: [] };
    this.#nodes.set(key, node);
    return node;
  }

  after(node: SequenceNode, toolClass: number, released: boolean): SequenceNode {
    const known = (released ? node.released : node.failed)[toolClass];
    if (known !== undefined) return known;
    const { roles } = this.program;
    const next = this.intern(
      roles.map((role, index) => {
        const state = node.state.roles[index] ?? initialRole(role);
        return afterCall(this.program, state, role, toolClass, released);
      }),
    );
    (released ? node.released : node.failed)[toolClass] = next;
    return next;
  }

  /** Why a call of this class may not come next; nothing when it may. */
  denial(node: SequenceNode, toolClass: number): SequenceDenial | undefined {
    const known = node.denials[toolClass];
    if (known !== undefined) return known ?? undefined;
    const denial = denialOf(this.program, node.state, toolClass);
    node.denials[toolClass] = denial ?? null;
    return denial;
  }

  /** Cuts the links too, so that an idle session cannot keep an old automaton alive through its state. */
  #clear(): void {
    for (const node of this.#nodes.values()) {
      node.released.length = 0;
      node.failed.length = 0;
    }
    this.#nodes.clear();
    const initial = this.initial as SequenceNode | undefined;
    if (initial !== undefined) this.#nodes.set(initial.state.key, initial);
  }
}

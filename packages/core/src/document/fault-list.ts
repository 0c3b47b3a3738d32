import type { DocumentPath } from "./document.js";
import type { Fault } from "./fault.js";
import type { PolicyTree } from "./policy-tree.js";

/** What a fault may say besides code, message and path. */
export interface FaultDetails {
  /** Default `value`. */
  readonly at?: "key" | "value";
  readonly suggestion?: string | undefined;
}

/** Faults that are kept; a policy with more is not a policy with misspellings, and finding all places would take long. */
export const MAX_FAULTS = 1000;

/** Gathers what is wrong with a policy while it is read and checked. */
export class FaultList {
  readonly #faults: Fault[] = [];
  #errors = 0;
  #left = 0;

  error(code: string, message: string, path: DocumentPath, details: FaultDetails = {}): Fault {
    this.#errors++;
    return this.#add("error", code, message, path, details);
  }

  warning(code: string, message: string, path: DocumentPath, details: FaultDetails = {}): Fault {
    return this.#add("warning", code, message, path, details);
  }

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  /** Enough faults were found already: what costs time, such as looking for suggestions, can be left out. */
  get isFull(): boolean {
    return this.#faults.length >= MAX_FAULTS;
  }

  /** All faults in the order in which their places stand in the document. */
  inDocumentOrder(tree: PolicyTree): readonly Fault[] {
    if (this.#left > 0) {
      const message = `there are ${this.#left} more faults, which are not listed: mend these first`;
      const more: Fault = { severity: "error", code: "too_many_faults", message, path: [], at: "value" };
      this.#faults.push(Object.freeze(more));
      this.#left = 0;
    }
    if (this.#faults.length < 2) return Object.freeze([...this.#faults]);
    const order = new DocumentOrder(tree);
    const ranked = this.#faults.map((fault) => ({ fault, rank: order.rank(fault) }));
    ranked.sort((a, b) => compareRanks(a.rank, b.rank)); // stable: faults of one place stay as they were found
    return Object.freeze(ranked.map(({ fault }) => fault));
  }

  #add(
    severity: Fault["severity"],
    code: string,
    message: string,
    path: DocumentPath,
    { at = "value", suggestion }: FaultDetails,
  ): Fault {
    const bare: Fault = { severity, code, message, path: Object.freeze([...path]), at };
    const fault = Object.freeze(suggestion === undefined ? bare : { ...bare, suggestion });
    if (this.#faults.length < MAX_FAULTS) this.#faults.push(fault);
    else this.#left++;
    return fault;
  }
}

/** Turns document paths into lists of numbers that sort as the places stand in the document. */
class DocumentOrder {
  readonly #tree: PolicyTree;
  readonly #keys = new Map<ReadonlyMap<string, PolicyTree>, ReadonlyMap<string, number>>();

  constructor(tree: PolicyTree) {
    this.#tree = tree;
  }

  rank(fault: Fault): readonly number[] {
    const rank: number[] = [];
    let node: PolicyTree | undefined = this.#tree;
    for (const part of fault.path) {
      if (typeof part === "number") {
        rank.push(part);
        node = Array.isArray(node) ? node[part] : undefined;
      } else if (node instanceof Map) {
        rank.push(this.#indexOf(node, part));
        node = node.get(part);
      } else rank.push(0);
    }
    rank.push(fault.at === "key" ? -2 : -1); // a key stands before its value, and both before what the value holds
    return rank;
  }

  #indexOf(map: ReadonlyMap<string, PolicyTree>, key: string): number {
    let indexes = this.#keys.get(map);
    if (indexes === undefined) {
      indexes = new Map([...map.keys()].map((name, index) => [name, index]));
      this.#keys.set(map, indexes);
    }
    return indexes.get(key) ?? indexes.size;
  }
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

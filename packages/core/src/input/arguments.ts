import type { ParameterNames } from "./parameter-names.js";
import { replaceEntry } from "./snapshot.js";

/** Something with named values that a path can start from or go on through. */
export interface Holder {
  /** `undefined`: absent. */
  get(key: string): unknown;
  /** Puts a copy in the place of the value that `get` gave. */
  set(key: string, copy: unknown): void;
}

/** The entries of a copied mapping: own ones only, whatever its prototype has. */
export class EntryHolder implements Holder {
  readonly #copy: { readonly [key: string]: unknown };

  constructor(copy: { readonly [key: string]: unknown }) {
    this.#copy = copy;
  }

  get(key: string): unknown {
    return Object.hasOwn(this.#copy, key) ? this.#copy[key] : undefined;
  }

  set(key: string, copy: unknown): void {
    if (copy !== this.get(key)) replaceEntry(this.#copy, key, copy);
  }
}

/** Positional arguments under the names that the guard was given. */
export class PositionalHolder implements Holder {
  readonly #names: ParameterNames;
  readonly #args: unknown[];
  #rest: readonly unknown[];

  constructor(names: ParameterNames, args: readonly unknown[]) {
    this.#names = names;
    this.#args = args.slice(0, names.count);
    this.#rest = args.slice(names.count);
  }

  get(key: string): unknown {
    if (key === this.#names.rest) return this.#rest;
    const position = this.#names.positions.get(key);
    return position === undefined ? undefined : this.#args[position];
  }

  set(key: string, copy: unknown): void {
    if (key === this.#names.rest) {
      if (Array.isArray(copy)) this.#rest = copy;
      return;
    }
    const position = this.#names.positions.get(key);
    if (position !== undefined) this.#args[position] = copy;
  }

  /** The arguments in their order, copies in place. */
  all(): readonly unknown[] {
    return [...this.#args, ...this.#rest];
  }
}

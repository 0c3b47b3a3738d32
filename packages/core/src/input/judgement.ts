import { isProxy } from "#platform";
import type { Violation } from "../decision.js";
import { isList, isMapping, MAX_DEPTH } from "../values/kind.js";
import { EntryHolder, type Holder } from "./arguments.js";
import type { InputRule, Key } from "./compile-input.js";
import type { InputVerdict } from "./input-verdict.js";
import { NOT_INSPECTABLE, type Snapshot } from "./snapshot.js";

/** Violations that say more about the call than that a value is wrong: they are the detail of the refusal. */
const DETAILS: ReadonlySet<string> = new Set(["extra_arguments", "unknown_argument", "not_inspectable"]);

/** One call's arguments under judgement: the copies made so far, and what was found wrong. */
export class Judgement {
  readonly #snapshot: Snapshot;
  readonly #violations = new Set<Violation>();
  /** Lists entered so far, each with the keys that were looked for in it: none is entered twice for the same. */
  readonly #entered = new Map<object, Set<readonly Key[] | undefined>>();
  #rule: string | undefined;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** Judges every value that the rule's path leads to from the arguments. */
  judge(rule: InputRule, holder: Holder): void {
    if (!this.#follow(rule, 0, holder, 1)) this.requireOnly(rule);
  }

  /** What a rule says where its argument is absent. */
  requireOnly(rule: InputRule): void {
    if (rule.required !== undefined) this.refuse(rule.at, rule.required);
  }

  /** Notes a violation of the rule at this document path. */
  refuse(at: string, violation: Violation): void {
    this.#rule ??= at;
    this.#violations.add(violation);
  }

  /** The refusal that the violations make; `undefined` when there are none. */
  refusal(): InputVerdict | undefined {
    if (this.#rule === undefined) return undefined;
    const violations = Object.freeze([...this.#violations]);
    const detail = violations.find(({ operator }) => DETAILS.has(operator))?.operator;
    return { ok: false, violations, ...(detail === undefined ? {} : { detail }), rule: this.#rule };
  }

  /** Goes on from a holder with the path used up so far. False: nothing is there. */
  #follow(rule: InputRule, used: number, holder: Holder, depth: number): boolean {
    let found = false;
    for (const { key, used: usedNow } of rule.keys[used] ?? []) {
      const value = holder.get(key);
      if (value === undefined) continue;
      const copy = this.#copy(rule, usedNow, value);
      if (copy === NOT_INSPECTABLE) {
        this.refuse(rule.at, rule.notInspectable);
        found = true;
        continue;
      }
      if (copy !== value) holder.set(key, copy);
      if (usedNow === rule.keys.length) {
        this.#check(rule, copy);
        found = true;
      } else if (this.#enter(rule, usedNow, copy, depth + 1)) found = true;
    }
    return found;
  }

  /** Goes into a value on the way. False: nothing is there. */
  #enter(rule: InputRule, used: number, value: unknown, depth: number): boolean {
    if (isList(value)) {
      if (depth > MAX_DEPTH) this.refuse(rule.at, rule.notInspectable);
      else if (this.#isNew(value, rule.keys[used])) this.#enterItems(rule, used, value, depth);
      return true;
    }
    if (isMapping(value)) return this.#follow(rule, used, new EntryHolder(value), depth);
    this.refuse(rule.at, rule.notEntered);
    return true;
  }

  /** Every item must satisfy the rule; an item that lacks the value lacks it where it is required. */
  #enterItems(rule: InputRule, used: number, list: readonly unknown[], depth: number): void {
    for (let index = 0; index < list.length; index++) {
      const item = list[index];
      const copy = this.#snapshot.ofEntries(item);
      if (copy === NOT_INSPECTABLE) this.refuse(rule.at, rule.notInspectable);
      else {
        if (copy !== item) replaceItem(list, index, copy);
        if (!this.#enter(rule, used, copy, depth + 1)) this.requireOnly(rule);
      }
    }
  }

  #isNew(list: object, keys: readonly Key[] | undefined): boolean {
    const before = this.#entered.get(list);
    if (before === undefined) {
      this.#entered.set(list, new Set([keys]));
      return true;
    }
    if (before.has(keys)) return false;
    before.add(keys);
    return true;
  }

  /** What of a value is copied before it is judged: its entries on the way, at the end what the operators look at. */
  #copy(rule: InputRule, used: number, value: unknown): unknown {
    if (used < rule.keys.length) return this.#snapshot.ofEntries(value);
    if (isProxy(value)) return NOT_INSPECTABLE;
    switch (rule.look) {
      case "kind":
        return value;
      case "entries":
        return this.#snapshot.ofEntries(value);
      case "all":
        return this.#snapshot.ofAll(value);
    }
  }

  #check(rule: InputRule, value: unknown): void {
    if (value === null) this.requireOnly(rule);
    for (const { holds, violation } of rule.checks) {
      if (!holds(value)) this.refuse(rule.at, violation);
    }
  }
}

/** Replaces an item of a list that this call has copied. */
function replaceItem(list: readonly unknown[], index: number, copy: unknown): void {
  Object.defineProperty(list, index, { value: copy });
}

import { isProxy } from "#platform";
import { jsonSize } from "../values/bytes.js";
import { isMapping } from "../values/kind.js";
import type { PolicyValue } from "./document.js";
import type { FaultList } from "./fault-list.js";
import { codePointName, quoted } from "./name-characters.js";

/** Stands where something could not be read and has already been reported: checks pass over it in silence. */
export const UNREADABLE: unique symbol = Symbol("unreadable");

/**
 * A policy as its author wrote it, before checking. Mappings are `Map`s, so that a key such as `__proto__` is a key
 * like any other and keys keep the order in which they were written.
 */
export type PolicyTree =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PolicyTree[]
  | PolicyTreeMap
  | typeof UNREADABLE;

export type PolicyTreeMap = ReadonlyMap<string, PolicyTree>;

/**
 * Levels of nesting that a policy may have; the policy itself is at level 1. Lower than what a value may have, so that
 * the document's digest and the records around it still write every level down.
 */
export const MAX_DOCUMENT_DEPTH = 100;

/** A snapshot of a policy given as an object. */
export interface PolicySnapshot {
  readonly tree: PolicyTree;
  /** UTF-8 bytes of its compact JSON; above `limit` it only says "more than `limit`". */
  readonly bytes: number;
}

/**
 * Copies a policy that was given as an object. Every property is read once and none of the object's own code is run;
 * what is not plain data is a fault and comes back as `UNREADABLE`. Copying stops soon after `limit` bytes, so that
 * a small object that holds the same list over and over costs no more than a large one.
 */
export function snapshotPolicy(value: unknown, faults: FaultList, limit: number): PolicySnapshot {
  const copying = new Copying(faults, limit);
  const tree = copying.copy(value);
  return { tree, bytes: copying.bytes };
}

class Copying {
  bytes = 0;
  readonly #faults: FaultList;
  readonly #limit: number;
  readonly #open = new Set<object>();
  readonly #path: (string | number)[] = [];

  constructor(faults: FaultList, limit: number) {
    this.#faults = faults;
    this.#limit = limit;
  }

  copy(value: unknown): PolicyTree {
    switch (typeof value) {
      case "string":
        this.bytes += jsonSize(value, this.#limit) ?? 0;
        return value;
      case "number":
        this.bytes += String(value).length;
        return value === 0 ? 0 : value; // JSON text has no -0 either
      case "bigint":
        this.bytes += value.toString(16).length;
        return value;
      case "boolean":
        this.bytes += value ? 4 : 5;
        return value;
      case "undefined":
        return this.#refuse("`undefined` says nothing: leave the key out");
      case "function":
      case "symbol":
        return this.#refuse(`a ${typeof value} is not data: write a plain value`);
      case "object":
        if (value === null) {
          this.bytes += 4;
          return null;
        }
        return this.#copyObject(value);
    }
  }

  #copyObject(value: object): PolicyTree {
    if (isProxy(value)) return this.#refuse("a proxy may answer differently each time: pass plain data");
    if (this.#open.has(value)) return this.#refuse("the policy holds itself here: write it without cycles");
    if (this.#path.length >= MAX_DOCUMENT_DEPTH) {
      return this.#refuse(
        `the policy is nested deeper than ${MAX_DOCUMENT_DEPTH} levels here: flatten it`,
        "too_deep",
      );
    }
    this.#open.add(value);
    try {
      if (Array.isArray(value)) return this.#copyList(value);
      if (isMapping(value)) return this.#copyMapping(value);
      return this.#refuse("this is no plain data: write mappings as object literals and lists as arrays");
    } catch {
      // Only code that belongs to the object itself can throw here; whatever it is, it cannot be read.
      return this.#refuse("this cannot be read: pass plain data");
    } finally {
      this.#open.delete(value);
    }
  }

  #copyList(list: readonly unknown[]): PolicyTree {
    const copied: PolicyTree[] = [];
    this.bytes += 2 + Math.max(0, list.length - 1);
    for (let index = 0; index < list.length && this.bytes <= this.#limit; index++) {
      const property = Object.getOwnPropertyDescriptor(list, index);
      this.#path.push(index);
      copied.push(
        property === undefined
          ? this.#refuse("the list has a hole here: write every item")
          : this.#copyProperty(property),
      );
      this.#path.pop();
      if (property === undefined) break; // a list may be nothing but millions of holes
    }
    return copied;
  }

  #copyMapping(mapping: object): PolicyTree {
    const copied = new Map<string, PolicyTree>();
    this.bytes += 2;
    for (const key of Object.keys(mapping)) {
      if (this.bytes > this.#limit) break;
      const property = Object.getOwnPropertyDescriptor(mapping, key);
      if (property === undefined) continue;
      this.bytes += (copied.size === 0 ? 1 : 2) + (jsonSize(key, this.#limit) ?? 0);
      this.#path.push(key);
      copied.set(key, this.#copyProperty(property));
      this.#path.pop();
    }
    return copied;
  }

  #copyProperty(property: PropertyDescriptor): PolicyTree {
    if (property.get !== undefined || property.set !== undefined) {
      return this.#refuse("an accessor may answer differently each time: write the value itself");
    }
    return this.copy(property.value);
  }

  #refuse(message: string, code = "not_plain_data"): typeof UNREADABLE {
    this.#faults.error(code, message, this.#path);
    return UNREADABLE;
  }
}

/** Whether a node is a mapping. */
export function isTreeMap(node: PolicyTree | undefined): node is PolicyTreeMap {
  return node instanceof Map;
}

/** Whether a node is a list. */
export function isTreeList(node: PolicyTree | undefined): node is readonly PolicyTree[] {
  return Array.isArray(node);
}

/** Beyond it an integer is not written out in messages: writing millions of digits takes seconds. */
const HUGE = 2n ** 128n;

/** What a node is, for a message: `a list`, `the number 7`, `nothing`. */
export function describeNode(node: PolicyTree): string {
  if (node === null) return "nothing";
  if (isTreeList(node)) return "a list";
  switch (typeof node) {
    case "string":
      return node === "" ? "an empty string" : `the string ${quoted(node)}`;
    case "bigint":
      return node > -HUGE && node < HUGE ? `the number ${quoted(String(node))}` : "a huge number";
    case "number":
      return `the number ${quoted(String(node))}`;
    case "boolean":
      return `\`${node}\``;
    case "object":
      return "a mapping";
    case "symbol":
      return "unreadable";
  }
}

/** Whether a node or anything inside it could not be read. */
export function holdsUnreadable(node: PolicyTree): boolean {
  if (node === UNREADABLE) return true;
  if (isTreeList(node)) return node.some(holdsUnreadable);
  return isTreeMap(node) && [...node.values()].some(holdsUnreadable);
}

/** A node as operands are checked: mappings as objects without prototype, the rest as it is. */
export function toPlainValue(node: PolicyTree): unknown {
  if (isTreeList(node)) return node.map(toPlainValue);
  if (!isTreeMap(node)) return node;
  // Without a prototype, `__proto__` is an ordinary key here.
  const plain: Record<string, unknown> = Object.create(null);
  for (const [key, value] of node) plain[key] = toPlainValue(value);
  return plain;
}

/** A node as a value that a checked document may hold: what JSON cannot say is written as its decimal text. */
export function toPolicyValue(node: PolicyTree): PolicyValue {
  if (isTreeList(node)) return node.map(toPolicyValue);
  if (isTreeMap(node)) {
    const plain: Record<string, PolicyValue> = Object.create(null);
    for (const [key, value] of node) plain[key] = toPolicyValue(value);
    return plain;
  }
  if (typeof node === "bigint" || (typeof node === "number" && !Number.isFinite(node))) return String(node);
  return node === UNREADABLE ? null : node;
}

/** The first lone surrogate in a node's strings and keys, `U+D800`: such text has no UTF-8 form and no stable digest. */
export function findIllFormedText(node: PolicyTree): string | undefined {
  if (typeof node === "string") {
    const found = /\p{Cs}/u.exec(node)?.[0];
    return found === undefined ? undefined : codePointName(found);
  }
  if (isTreeList(node)) return firstOf(node, findIllFormedText);
  if (!isTreeMap(node)) return undefined;
  return firstOf(node, ([key, value]) => findIllFormedText(key) ?? findIllFormedText(value));
}

function firstOf<Item>(items: Iterable<Item>, find: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

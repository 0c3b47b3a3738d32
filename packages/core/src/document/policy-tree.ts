import type { PolicyValue } from "./document.js";
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

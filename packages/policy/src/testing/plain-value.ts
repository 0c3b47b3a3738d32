import type { PolicyTree } from "d2-core";
import { isTreeList, isTreeMap } from "./placed.js";

/**
 * The value that a node of a test file stands for: mappings have no prototype, so that `__proto__` is a key like any
 * other; integers that a double cannot hold are bigints. What could not be read, and was reported, is `undefined`.
 */
export function plainValue(node: PolicyTree): unknown {
  if (isTreeList(node)) return node.map(plainValue);
  if (!isTreeMap(node)) return typeof node === "symbol" ? undefined : node;
  const mapping: { [key: string]: unknown } = Object.create(null);
  for (const [key, value] of node) mapping[key] = plainValue(value);
  return mapping;
}

/** A mapping with the node put in where the keys lead to; what stands in the way is replaced. */
export function withNode(base: PolicyTree, keys: readonly string[], node: PolicyTree): PolicyTree {
  const [key, ...rest] = keys;
  if (key === undefined) return node;
  const map = new Map(isTreeMap(base) ? base : []);
  return map.set(key, withNode(map.get(key) ?? null, rest, node));
}

import type { DocumentPath, PolicyTree, PolicyTreeMap } from "d2-core";

/** A node of a test file and where it stands. */
export interface Placed {
  readonly node: PolicyTree;
  readonly path: DocumentPath;
}

/**
 * What is said of a test, call or expectation, each with its place. Not simply a mapping of the file, for a row of a
 * table says its part in its cells.
 */
export type Fields = ReadonlyMap<string, Placed>;

/** The entries of a mapping. */
export function fieldsOf(map: PolicyTreeMap, path: DocumentPath): Map<string, Placed> {
  return new Map([...map].map(([key, node]) => [key, { node, path: [...path, key] }]));
}

export function isTreeMap(node: PolicyTree | undefined): node is PolicyTreeMap {
  return node instanceof Map;
}

export function isTreeList(node: PolicyTree | undefined): node is readonly PolicyTree[] {
  return Array.isArray(node);
}

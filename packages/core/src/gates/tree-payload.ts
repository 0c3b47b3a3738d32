import { type CanonicalValue, digest, type HexDigest } from "../canonical/canonical-json.js";
import { isList, isMapping } from "../values/kind.js";
import { type Described, descriptionOf, type GateDescription, InvalidGateError } from "./gate.js";

/** A node of a tree as a viewer shows it. */
export interface TreeNode {
  /** `root`, `root.root` for the gate under a policy, then `….gates[i]` and `….inner`. */
  readonly path: string;
  readonly kind: string;
  readonly label: string | null;
  /** The parameters of the gate. */
  readonly meta: { readonly [key: string]: CanonicalValue };
  readonly children: readonly TreeNode[];
}

export interface TreePayload {
  /** Of the description, as `describeDigest` gives it. */
  readonly digest: HexDigest;
  readonly tree: TreeNode;
}

const NOT_META: ReadonlySet<string> = new Set([
  "describe_version",
  "type",
  "label",
  "root",
  "gates",
  "inner",
]);

/**
 * A gate, a policy or a description of one as a tree to show.
 *
 * @throws {InvalidGateError} for what is no description
 */
export function treePayload(target: Described | GateDescription): TreePayload {
  const description = descriptionOf(target);
  return Object.freeze({ digest: digest(description), tree: nodeOf("root", description) });
}

function nodeOf(path: string, description: CanonicalValue): TreeNode {
  if (!isMapping(description) || typeof description["type"] !== "string") {
    throw new InvalidGateError("a gate's description must be a mapping with a `type`");
  }
  const { type, label, root, gates, inner } = description;
  const children: TreeNode[] = [];
  if (root !== undefined) children.push(nodeOf(`${path}.root`, root));
  if (gates !== undefined) {
    if (!isList(gates)) throw new InvalidGateError("`gates` of a description must be a list");
    for (const [index, gate] of gates.entries()) children.push(nodeOf(`${path}.gates[${index}]`, gate));
  }
  if (inner !== undefined) children.push(nodeOf(`${path}.inner`, inner));
  const meta: { [key: string]: CanonicalValue } = Object.create(null);
  for (const [key, value] of Object.entries(description)) if (!NOT_META.has(key)) meta[key] = value;
  return Object.freeze({
    path,
    kind: type,
    label: typeof label === "string" ? label : null,
    meta: Object.freeze(meta),
    children: Object.freeze(children),
  });
}

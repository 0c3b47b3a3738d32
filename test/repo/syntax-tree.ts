import { parseSync } from "oxc-parser";

/** A node of the ESTree that the parser gives, seen as plain data. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

export interface Ancestor {
  readonly node: SyntaxNode;
  /** The property of that node by which the walk went on. */
  readonly key: string;
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** Parses TypeScript. A text that is not TypeScript throws. */
export function parse(file: string, text: string): SyntaxNode {
  const { program, errors } = parseSync(file, text);
  const [first] = errors;
  if (first !== undefined) throw new SyntaxError(`${file}: ${first.message}`);
  const root: unknown = program;
  if (!isNode(root)) throw new TypeError(`${file}: the parser gave no tree`);
  return root;
}

/**
 * Visits every node, parents first. `path` leads from the root to the node's parent. A visit that answers `false`
 * leaves out what is below.
 */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, path: readonly Ancestor[]) => unknown,
  path: readonly Ancestor[] = [],
): void {
  if (visit(node, path) === false) return;
  for (const [key, value] of Object.entries(node)) {
    const children: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const child of children) if (isNode(child)) walk(child, visit, [...path, { node, key }]);
  }
}

/** The line, counted from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** The value of a string literal or of a template without holes. */
export function literalText(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Literal" && typeof node["value"] === "string") return node["value"];
  if (node.type !== "TemplateLiteral") return undefined;
  const quasis: unknown = node["quasis"];
  if (!Array.isArray(quasis) || quasis.length !== 1) return undefined;
  const [quasi]: unknown[] = quasis;
  if (!isNode(quasi)) return undefined;
  const value: unknown = quasi["value"];
  return typeof value === "object" && value !== null && "cooked" in value && typeof value.cooked === "string"
    ? value.cooked
    : undefined;
}

import { isNode, lineAt, literalText, parse, type SyntaxNode, walk } from "./syntax-tree.js";

export interface Import {
  /** As written; `undefined` when it is computed, so that nobody can know what it names. */
  readonly specifier: string | undefined;
  readonly line: number;
}

/** Everything that a module refers to: imports, re-exports, `import()`, `require()` and types by `import("...")`. */
export function importsOf(file: string, text: string): readonly Import[] {
  const found: Import[] = [];
  walk(parse(file, text), (node) => {
    const source = sourceOf(node);
    if (source !== undefined) {
      found.push({ specifier: literalText(source.node), line: lineAt(text, node.start) });
    }
  });
  return found;
}

function sourceOf(node: SyntaxNode): { readonly node: unknown } | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
      return { node: node["source"] };
    case "ExportNamedDeclaration":
      return isNode(node["source"]) ? { node: node["source"] } : undefined;
    case "TSImportType":
      return { node: node["source"] };
    case "TSExternalModuleReference":
      return { node: node["expression"] };
    case "CallExpression": {
      const { callee, arguments: given } = node;
      const required = isNode(callee) && callee.type === "Identifier" && callee["name"] === "require";
      return required && Array.isArray(given) ? { node: given[0] } : undefined;
    }
  }
  return undefined;
}

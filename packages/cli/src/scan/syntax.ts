import type { Expression, Node, Program } from "oxc-parser";

/** What is used of the parser, which is loaded only when there is something to read. */
export type Parser = Pick<typeof import("oxc-parser"), "parseSync" | "visitorKeys">;

/** A text that could not be understood, and where. */
export interface SyntaxFault {
  readonly message: string;
  /** UTF-16 offset. */
  readonly offset: number;
}

/** @returns the tree; faults are told beside it, and the tree may then be empty. */
export function parseSource(
  parser: Parser,
  file: string,
  text: string,
): { readonly program: Program; readonly fault: SyntaxFault | undefined } {
  let first: { readonly program: Program; readonly fault: SyntaxFault } | undefined;
  for (const { lang, sourceType } of readings(file)) {
    const result = parser.parseSync(file, text, { lang, sourceType, preserveParens: false });
    const [error] = result.errors.filter(({ severity }) => severity === "Error");
    if (error === undefined) return { program: result.program, fault: undefined };
    const offset = error.labels[0]?.start ?? 0;
    first ??= { program: result.program, fault: { message: error.message, offset } };
  }
  if (first === undefined) throw new TypeError(`no way to read \`${file}\``);
  return first;
}

/** The ways in which a file may be meant: JavaScript says neither whether it is a module nor whether it has types. */
function readings(file: string): readonly {
  readonly lang: "ts" | "tsx" | "jsx";
  readonly sourceType: "module" | "commonjs";
}[] {
  if (file.endsWith(".tsx")) return [{ lang: "tsx", sourceType: "module" }];
  if (/\.[mc]?ts$/.test(file)) return [{ lang: "ts", sourceType: "module" }];
  return [
    { lang: "jsx", sourceType: "module" },
    { lang: "jsx", sourceType: "commonjs" },
    { lang: "tsx", sourceType: "module" },
  ];
}

/** Brackets within brackets that no one writes. */
const MAX_NESTING = 3_000;

/**
 * Whether a text opens brackets so deeply that the parser, which is native code, could end the whole process. It is
 * counted without regard to strings and comments, where brackets come in small numbers.
 */
export function nestsTooDeeply(text: string): boolean {
  let depth = 0;
  for (const [bracket] of text.matchAll(/[()[\]{}]/g)) {
    if (bracket === ")" || bracket === "]" || bracket === "}") depth = Math.max(0, depth - 1);
    else if (++depth > MAX_NESTING) return true;
  }
  return false;
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** The nodes right below a node, in the order of the text. */
export function childrenOf(parser: Parser, node: Node): readonly Node[] {
  return (parser.visitorKeys[node.type] ?? []).flatMap((key) => {
    const value: unknown = Reflect.get(node, key);
    const found: readonly unknown[] = Array.isArray(value) ? value : [value];
    return found.filter(isNode);
  });
}

/** The expression itself, without what changes its type only. */
export function bare(node: Expression): Expression {
  switch (node.type) {
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSNonNullExpression":
    case "TSTypeAssertion":
    case "TSInstantiationExpression":
    case "ParenthesizedExpression":
    case "ChainExpression":
      return bare(node.expression);
    default:
      return node;
  }
}

/** The name that a key says by itself: `a`, `"a"`, `#a`; `undefined` where it is computed. */
export function plainKey(key: Node, computed: boolean): string | undefined {
  if (key.type === "PrivateIdentifier") return `#${key.name}`;
  if (key.type === "Identifier") return computed ? undefined : key.name;
  if (key.type === "Literal" && typeof key.value === "string") return key.value;
  if (key.type === "Literal" && typeof key.value === "number") return String(key.value);
  return undefined;
}

/** Line and column, both from 1, the column in code points. */
export function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const lines = before.split(/\r\n|[\n\r\u2028\u2029]/);
  return { line: lines.length, column: [...(lines.at(-1) ?? "")].length + 1 };
}

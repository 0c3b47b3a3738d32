import type { Node, TSInterfaceDeclaration, TSSignature, TSType } from "oxc-parser";
import type { Interpreting, Place } from "./meaning.js";
import type { SourceModule } from "./source-module.js";
import { plainKey } from "./syntax.js";

/** The names of an object type's properties. */
export interface PropertyNames {
  readonly names: readonly string[];
  /** Whether these are all. */
  readonly closed: boolean;
}

/** What a type says of an argument: an object of these properties, no object, or nothing that can be told. */
export type TypeShape = PropertyNames | "not-an-object" | undefined;

/** Types within types, and modules behind modules, that are followed. */
const MAX_DEPTH = 12;

/** Finds out the shape of a type, following names through the modules of the project. */
export function shapeOfType(interpreter: Interpreting, type: TSType, place: Place, depth = 0): TypeShape {
  if (depth > MAX_DEPTH) return undefined;
  const inner = (node: TSType) => shapeOfType(interpreter, node, place, depth + 1);
  switch (type.type) {
    case "TSTypeLiteral":
      return signatureNames(type.members);
    case "TSParenthesizedType":
      return inner(type.typeAnnotation);
    case "TSTypeOperator":
      return type.operator === "readonly" ? inner(type.typeAnnotation) : undefined;
    case "TSIntersectionType":
      return joined(type.types.map(inner));
    case "TSUnionType": {
      const given = type.types.filter(
        ({ type: kind }) => kind !== "TSUndefinedKeyword" && kind !== "TSNullKeyword",
      );
      return joined(given.map(inner));
    }
    case "TSTypeReference":
      return type.typeName.type === "Identifier"
        ? namedShape(interpreter, type.typeName.name, type.typeArguments?.params ?? [], place, depth)
        : undefined;
    case "TSStringKeyword":
    case "TSNumberKeyword":
    case "TSBooleanKeyword":
    case "TSBigIntKeyword":
    case "TSSymbolKeyword":
    case "TSArrayType":
    case "TSTupleType":
    case "TSLiteralType":
    case "TSTemplateLiteralType":
    case "TSFunctionType":
      return "not-an-object";
    default:
      return undefined;
  }
}

/** `Partial<T>` and the like leave the names as they are. */
const SAME_NAMES: ReadonlySet<string> = new Set(["Partial", "Required", "Readonly", "NonNullable"]);
const NOT_OBJECTS: ReadonlySet<string> = new Set([
  "Array",
  "ReadonlyArray",
  "Date",
  "Map",
  "Set",
  "URL",
  "RegExp",
]);

function namedShape(
  interpreter: Interpreting,
  name: string,
  params: readonly TSType[],
  place: Place,
  depth: number,
): TypeShape {
  const declared = declarationsOf(interpreter, name, place);
  if (declared !== undefined) {
    return joined(declared.map(({ node, ...home }) => declaredShape(interpreter, node, home, depth + 1)));
  }
  const [first, second] = params;
  if (NOT_OBJECTS.has(name)) return "not-an-object";
  if (first === undefined) return undefined;
  if (SAME_NAMES.has(name)) return shapeOfType(interpreter, first, place, depth + 1);
  if (name === "Record") {
    const names = literalNames(first);
    return names === undefined ? { names: [], closed: false } : { names, closed: true };
  }
  const names = second === undefined ? undefined : literalNames(second);
  if (name === "Pick" && names !== undefined) return { names, closed: true };
  const whole = name === "Omit" ? shapeOfType(interpreter, first, place, depth + 1) : undefined;
  if (names === undefined || whole === undefined || whole === "not-an-object") return undefined;
  return { names: whole.names.filter((it) => !names.includes(it)), closed: whole.closed };
}

function declaredShape(interpreter: Interpreting, node: Node, place: Place, depth: number): TypeShape {
  if (node.type === "TSTypeAliasDeclaration") {
    return shapeOfType(interpreter, node.typeAnnotation, place, depth + 1);
  }
  if (node.type === "TSEnumDeclaration") return "not-an-object";
  return node.type === "TSInterfaceDeclaration" ? interfaceShape(interpreter, node, place, depth) : undefined;
}

function interfaceShape(
  interpreter: Interpreting,
  node: TSInterfaceDeclaration,
  place: Place,
  depth: number,
): TypeShape {
  const parents = (node.extends ?? []).map(({ expression, typeArguments }): TypeShape => {
    if (expression.type !== "Identifier") return { names: [], closed: false };
    const shape = namedShape(interpreter, expression.name, typeArguments?.params ?? [], place, depth + 1);
    return shape ?? { names: [], closed: false };
  });
  return joined([...parents, signatureNames(node.body.body)]);
}

function signatureNames(members: readonly TSSignature[]): PropertyNames {
  const names: string[] = [];
  let closed = true;
  for (const member of members) {
    const named = member.type === "TSPropertySignature" || member.type === "TSMethodSignature";
    const key = named ? plainKey(member.key, member.computed) : undefined;
    if (key === undefined) closed = false;
    else if (!names.includes(key)) names.push(key);
  }
  return { names, closed };
}

/** All names together. One part that cannot be told leaves the list open; one that is no object, nothing to tell. */
function joined(shapes: readonly TypeShape[]): TypeShape {
  if (shapes.length > 0 && shapes.every((shape) => shape === "not-an-object")) return "not-an-object";
  const known = shapes.flatMap((shape) => (shape === undefined || shape === "not-an-object" ? [] : [shape]));
  if (known.length === 0 || shapes.includes("not-an-object")) return undefined;
  return {
    names: [...new Set(known.flatMap(({ names }) => names))],
    closed: known.length === shapes.length && known.every(({ closed }) => closed),
  };
}

function literalNames(type: TSType): readonly string[] | undefined {
  const parts = type.type === "TSUnionType" ? type.types : [type];
  const names = parts.flatMap((part) =>
    part.type === "TSLiteralType" && part.literal.type === "Literal" && typeof part.literal.value === "string"
      ? [part.literal.value]
      : [],
  );
  return names.length === parts.length ? names : undefined;
}

interface Declared extends Place {
  readonly node: Node;
}

/** The declarations of a type's name; `undefined`: the project has none. */
function declarationsOf(
  interpreter: Interpreting,
  name: string,
  place: Place,
): readonly Declared[] | undefined {
  for (let scope: Place["scope"] | undefined = place.scope; scope !== undefined; scope = scope.parent) {
    const home = scope;
    const nodes = home.types.get(name);
    if (nodes !== undefined) return nodes.map((node) => ({ node, module: place.module, scope: home }));
    const imported = home.facts.get(name)?.find((fact) => fact.is === "import");
    if (imported?.is === "import") {
      const module = interpreter.load(imported.source, place.module.file);
      return module === undefined ? [] : (exportedTypes(interpreter, module, imported.name, 0) ?? []);
    }
  }
  return undefined;
}

function exportedTypes(
  interpreter: Interpreting,
  module: SourceModule,
  name: string,
  depth: number,
): readonly Declared[] | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const found = module.exports.get(name);
  if (found?.is === "local") return declarationsOf(interpreter, found.name, { module, scope: module.top });
  const own = module.top.types.get(name);
  if (found === undefined && own !== undefined)
    return own.map((node) => ({ node, module, scope: module.top }));
  const sources = found?.is === "from" ? [found.source] : module.stars;
  const wanted = found?.is === "from" ? found.name : name;
  for (const source of sources) {
    const next = interpreter.load(source, module.file);
    const types = next === undefined ? undefined : exportedTypes(interpreter, next, wanted, depth + 1);
    if (types !== undefined) return types;
  }
  return undefined;
}

import { type Ancestor, isNode, lineAt, literalText, parse, type SyntaxNode, walk } from "./syntax-tree.js";

/** What the language itself gives and what has neither an effect nor a hidden input. Any other free name is refused. */
const PURE_GLOBALS = new Set(
  `undefined NaN Infinity arguments Object Array String Number Boolean BigInt Symbol Map Set WeakMap WeakSet Promise
  Proxy Reflect JSON Math Date RegExp Function Error TypeError RangeError SyntaxError AggregateError EvalError
  ReferenceError URIError ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array
  Uint32Array Float32Array Float64Array BigInt64Array BigUint64Array isNaN isFinite parseInt parseFloat
  encodeURIComponent decodeURIComponent encodeURI decodeURI Iterator`.split(/\s+/),
);

/** Refused even as names of local variables, so that a shadow in one function cannot hide the real one in another. */
const IMPURE_NAMES = new Set(
  `process console globalThis eval require fetch performance navigator Deno Bun Intl setTimeout
  setInterval setImmediate clearTimeout clearInterval clearImmediate queueMicrotask localStorage sessionStorage
  XMLHttpRequest WebSocket Worker WebAssembly Atomics SharedArrayBuffer WeakRef FinalizationRegistry structuredClone
  __dirname __filename`.split(/\s+/),
);

/** Answers that depend on the machine's language or time zone, and doors to another realm's globals. */
const IMPURE_MEMBERS = new Set(
  `localeCompare toLocaleString toLocaleUpperCase toLocaleLowerCase toLocaleDateString toLocaleTimeString
  getTimezoneOffset getFullYear getMonth getDate getDay getHours getMinutes getSeconds getMilliseconds getYear
  setFullYear setMonth setDate setHours setMinutes setSeconds setMilliseconds setYear toDateString toTimeString
  __proto__ __defineGetter__ __defineSetter__`.split(/\s+/),
);

/** Members of impure globals that are pure all the same. */
const PURE_MEMBERS: ReadonlyMap<string, (member: string) => boolean> = new Map([
  ["Date", (member: string) => ["UTC", "parse", "prototype"].includes(member)],
  ["Function", (member: string) => member === "prototype"],
  ["Math", (member: string) => member !== "random"],
]);

/** The parts of a node that hold nothing but types. */
const TYPE_KEYS = new Set(
  "typeAnnotation returnType typeArguments typeParameters superTypeArguments implements".split(" "),
);
const TYPE_NODES = new Set(["TSTypeAliasDeclaration", "TSInterfaceDeclaration"]);

/** What in a module could make the same inputs give another answer, or act on the world. One line a finding. */
export function impurities(file: string, text: string): readonly string[] {
  const program = parse(file, text);
  const declared = declaredNames(program);
  const found: string[] = [];
  walkValues(program, (node, path) => {
    const fault = faultOf(node, path, declared);
    if (fault !== undefined) found.push(`${file}:${lineAt(text, node.start)} ${fault}`);
  });
  return found;
}

/** Module-level state that can change: `let`, `var`, and collections that start empty. */
export function mutableState(file: string, text: string): readonly string[] {
  const statements: unknown = parse(file, text)["body"];
  if (!Array.isArray(statements)) throw new TypeError(`${file}: the parser gave no statements`);
  return statements.flatMap((statement: unknown) => {
    if (!isNode(statement)) return [];
    const inner = statement.type === "ExportNamedDeclaration" ? statement["declaration"] : statement;
    if (!isNode(inner) || inner.type !== "VariableDeclaration" || inner["declare"] === true) return [];
    const declarators: unknown = inner["declarations"];
    if (!Array.isArray(declarators)) return [];
    return declarators.filter(isNode).flatMap((declarator) => {
      const fixed = inner["kind"] === "const";
      if (fixed && (!startsEmpty(declarator["init"]) || isReadonly(declarator["id"]))) return [];
      return bindings(declarator["id"]).map((name) => `${file}:${lineAt(text, declarator.start)} ${name}`);
    });
  });
}

function startsEmpty(value: unknown): boolean {
  if (!isNode(value)) return false;
  const { callee, arguments: given, elements } = value;
  if (value.type === "ArrayExpression") return Array.isArray(elements) && elements.length === 0;
  if (value.type !== "NewExpression" || !isNode(callee)) return false;
  const collection = ["Map", "Set", "WeakMap", "WeakSet"].includes(String(callee["name"]));
  return collection && Array.isArray(given) && given.length === 0;
}

/** Whether the type given to a name is `readonly string[]`, `ReadonlySet<...>` or another that is not a collection to fill. */
function isReadonly(name: unknown): boolean {
  const annotation = isNode(name) ? name["typeAnnotation"] : undefined;
  const type = isNode(annotation) ? annotation["typeAnnotation"] : undefined;
  if (!isNode(type)) return false;
  const { typeName } = type;
  if (type["operator"] === "readonly") return true;
  return isNode(typeName) && !/^(Array|(Weak)?(Map|Set))$/.test(String(typeName["name"]));
}

function walkValues(program: SyntaxNode, visit: (node: SyntaxNode, path: readonly Ancestor[]) => void): void {
  walk(program, (node, path) => {
    const key = path.at(-1)?.key ?? "";
    if (TYPE_KEYS.has(key) || TYPE_NODES.has(node.type) || node["declare"] === true) return false;
    visit(node, path);
    return true;
  });
}

function declaredNames(program: SyntaxNode): ReadonlySet<string> {
  const names = new Set<string>();
  walkValues(program, (node) => {
    const { id, params, param, local } = node;
    const isImport = /^Import(Default|Namespace)?Specifier$/.test(node.type);
    const declaring = node.type === "VariableDeclarator" || node.type.endsWith("Declaration");
    const owners = declaring || /^(Function|Class)Expression$/.test(node.type) ? [id] : [];
    for (const pattern of [
      ...owners,
      ...(Array.isArray(params) ? params : []),
      param,
      isImport ? local : null,
    ]) {
      for (const name of bindings(pattern)) names.add(name);
    }
  });
  return names;
}

/** The names that a pattern binds. */
function bindings(pattern: unknown): readonly string[] {
  if (!isNode(pattern)) return [];
  switch (pattern.type) {
    case "Identifier":
      return [String(pattern["name"])];
    case "Property":
      return bindings(pattern["value"]);
    case "AssignmentPattern":
      return bindings(pattern["left"]);
    case "RestElement":
      return bindings(pattern["argument"]);
    case "TSParameterProperty":
      return bindings(pattern["parameter"]);
  }
  const parts = pattern["properties"] ?? pattern["elements"];
  return Array.isArray(parts) ? parts.flatMap(bindings) : [];
}

function faultOf(
  node: SyntaxNode,
  path: readonly Ancestor[],
  declared: ReadonlySet<string>,
): string | undefined {
  switch (node.type) {
    case "Identifier":
      return isReference(path) ? nameFault(String(node["name"]), path, declared) : undefined;
    case "MemberExpression":
      return memberFault(node, path);
    case "Property": {
      const key = path.at(-1)?.node.type === "ObjectPattern" ? keyText(node) : undefined;
      return key !== undefined && (IMPURE_MEMBERS.has(key) || key === "constructor")
        ? `takes \`${key}\``
        : undefined;
    }
    case "MetaProperty": {
      const { meta } = node;
      return isNode(meta) && meta["name"] === "import" ? "reads `import.meta`" : undefined;
    }
    case "AssignmentExpression":
      return globalWrite(node["left"], declared);
    case "UpdateExpression":
    case "UnaryExpression":
      return node["operator"] === "delete" || node.type === "UpdateExpression"
        ? globalWrite(node["argument"], declared)
        : undefined;
  }
  return undefined;
}

/** Whether the identifier stands for a variable: not a property name, a label or the outer name of an export. */
function isReference(path: readonly Ancestor[]): boolean {
  const at = path.at(-1);
  if (at === undefined) return true;
  const { node, key } = at;
  switch (node.type) {
    case "MemberExpression":
      return key !== "property" || node["computed"] === true;
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
    case "AccessorProperty":
      return key !== "key" || node["computed"] === true;
    case "TSEnumMember":
      return key !== "id";
    case "ImportSpecifier":
      return key !== "imported";
    case "ExportSpecifier": {
      const statement = path.at(-2)?.node;
      return key === "local" && !isNode(statement?.["source"]) && statement?.["exportKind"] !== "type";
    }
    case "ExportAllDeclaration":
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
    case "MetaProperty":
      return false;
  }
  return true;
}

function nameFault(
  name: string,
  path: readonly Ancestor[],
  declared: ReadonlySet<string>,
): string | undefined {
  if (name === "this") return undefined;
  if (IMPURE_NAMES.has(name)) return `names \`${name}\``;
  if (declared.has(name)) return undefined;
  if (!PURE_GLOBALS.has(name)) return `uses the global \`${name}\`, which is not on the list of pure ones`;
  const isPure = PURE_MEMBERS.get(name);
  const parent = path.at(-1);
  if (isPure === undefined || parent === undefined) return undefined;
  const { node, key } = parent;
  if (node.type === "BinaryExpression" && node["operator"] === "instanceof" && key === "right")
    return undefined;
  if (node.type === "MemberExpression" && key === "object") {
    const member = memberName(node);
    return member !== undefined && isPure(member) ? undefined : `reads \`${name}.${member ?? "[...]"}\``;
  }
  if (name === "Date" && node.type === "NewExpression" && key === "callee") {
    const given: unknown = node["arguments"];
    const [first]: unknown[] = Array.isArray(given) ? given : [];
    const oneInstant = Array.isArray(given) && given.length === 1;
    return oneInstant && isNode(first) && first.type !== "SpreadElement"
      ? undefined
      : "makes a `Date` of the clock or of local time";
  }
  return `takes \`${name}\` as a value`;
}

function memberFault(node: SyntaxNode, path: readonly Ancestor[]): string | undefined {
  const member = memberName(node);
  if (member === undefined) return undefined;
  if (IMPURE_MEMBERS.has(member)) return `reads \`.${member}\``;
  if (member !== "constructor") return undefined;
  // The constructor of any function is `Function`, which compiles text.
  const parent = path.at(-1)?.node;
  const compared = parent?.type === "BinaryExpression";
  const named =
    parent?.type === "MemberExpression" && ["name", "prototype"].includes(memberName(parent) ?? "");
  return compared || named ? undefined : "takes `.constructor` as a value";
}

function globalWrite(target: unknown, declared: ReadonlySet<string>): string | undefined {
  let owner = target;
  while (isNode(owner) && owner.type === "MemberExpression") owner = owner["object"];
  if (!isNode(owner) || owner === target || owner.type !== "Identifier") return undefined;
  const name = String(owner["name"]);
  return PURE_GLOBALS.has(name) && !declared.has(name) ? `changes the global \`${name}\`` : undefined;
}

function memberName(node: SyntaxNode): string | undefined {
  const { property } = node;
  if (node["computed"] === true) return literalText(property);
  return isNode(property) && property.type === "Identifier" ? String(property["name"]) : undefined;
}

function keyText(node: SyntaxNode): string | undefined {
  const { key } = node;
  if (!isNode(key)) return undefined;
  return node["computed"] !== true && key.type === "Identifier" ? String(key["name"]) : literalText(key);
}

import type { Class, Expression, Node, Program } from "oxc-parser";
import { declareParameters, declarePattern, declareVariables } from "./declare.js";
import { collectExport } from "./module-exports.js";
import { type Fact, Scope, type Written } from "./scope.js";
import type { DecoratedMember, Export, SourceModule } from "./source-module.js";
import { bare, childrenOf, type Parser, plainKey } from "./syntax.js";

/** What is noted down while a module is walked through. */
export interface Notes {
  readonly exports: Map<string, Export>;
  readonly stars: string[];
  readonly whole: Written[];
  readonly assigned: Map<string, Written[]>;
  readonly calls: SourceModule["calls"][number][];
  readonly decorated: DecoratedMember[];
  readonly inside: Map<Node, Scope>;
  readonly mentions: Set<string>;
  readonly assignments: {
    readonly target: Node;
    readonly value: Written | undefined;
    readonly scope: Scope;
  }[];
}

/** Finds out what a module declares, exports, calls and decorates. */
export function readModule(parser: Parser, file: string, text: string, program: Program): SourceModule {
  const notes: Notes = {
    exports: new Map(),
    stars: [],
    whole: [],
    assigned: new Map(),
    calls: [],
    decorated: [],
    inside: new Map(),
    mentions: new Set(),
    assignments: [],
  };
  const top = new Scope(undefined, true);
  new ModuleReader(parser, notes).children(program, top);
  // Only now is every name declared, also those further down.
  for (const { target, value, scope } of notes.assignments) assign(target, value, scope, notes);
  return { file, text, program, top, ...notes };
}

class ModuleReader {
  readonly #parser: Parser;
  readonly #notes: Notes;
  /** What functions are known to be given first: the callbacks of `.then`. */
  readonly #given = new Map<Node, Written>();
  /** The blocks of functions, in which `var` ends. */
  readonly #bodies = new Set<Node>();

  constructor(parser: Parser, notes: Notes) {
    this.#parser = parser;
    this.#notes = notes;
  }

  children(node: Node, scope: Scope): void {
    for (const child of childrenOf(this.#parser, node)) this.#visit(child, scope);
  }

  #visit(node: Node, scope: Scope): void {
    switch (node.type) {
      case "ImportDeclaration": {
        for (const specifier of node.specifiers) {
          scope.declare(specifier.local.name, {
            is: "import",
            source: node.source.value,
            name:
              specifier.type === "ImportSpecifier"
                ? nameOf(specifier.imported)
                : specifier.type === "ImportDefaultSpecifier"
                  ? "default"
                  : "*",
          });
        }
        return;
      }
      case "TSImportEqualsDeclaration": {
        const { moduleReference: reference } = node;
        const fact: Fact =
          reference.type === "TSExternalModuleReference"
            ? { is: "import", source: reference.expression.value, name: "=" }
            : { is: "alias", entity: reference, scope };
        scope.declare(node.id.name, fact);
        return;
      }
      case "ExportNamedDeclaration":
      case "ExportAllDeclaration":
      case "ExportDefaultDeclaration":
      case "TSExportAssignment":
        // Those inside a `namespace` are its members, found by their declarations.
        if (scope.parent === undefined) collectExport(node, scope, this.#notes);
        this.children(node, scope);
        return;
      case "VariableDeclaration":
        declareVariables(node, scope);
        this.children(node, scope);
        return;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
      case "TSDeclareFunction":
      case "TSEmptyBodyFunctionExpression": {
        const declared = node.type === "FunctionDeclaration" || node.type === "TSDeclareFunction";
        if (declared && node.id) {
          const fact: Fact =
            node.type === "FunctionDeclaration" ? { is: "function", node, scope } : { is: "unknown" };
          scope.declare(node.id.name, fact);
        }
        const inner = new Scope(scope, false);
        if (node.type === "FunctionExpression" && node.id) {
          inner.declare(node.id.name, { is: "function", node, scope: inner });
        }
        const own = new Scope(inner, node.type === "ArrowFunctionExpression" && node.expression);
        declareParameters(node.params, own, this.#given.get(node));
        this.#notes.inside.set(node, own);
        if (node.body) this.#bodies.add(node.body);
        this.children(node, own);
        return;
      }
      case "ClassDeclaration":
      case "ClassExpression":
        this.#class(node, scope);
        return;
      case "BlockStatement":
      case "StaticBlock":
      case "TSModuleBlock": {
        const isBody = this.#bodies.has(node);
        const inner = new Scope(scope, isBody || node.type !== "BlockStatement");
        if (isBody) this.#notes.inside.set(node, inner);
        this.children(node, inner);
        return;
      }
      case "ForStatement":
      case "SwitchStatement":
        this.children(node, new Scope(scope, false));
        return;
      case "ForInStatement":
      case "ForOfStatement": {
        const inner = new Scope(scope, false);
        if (node.left.type === "VariableDeclaration") {
          for (const { id } of node.left.declarations) {
            const home = node.left.kind === "var" ? inner.hoisting() : inner;
            declarePattern(id, undefined, inner, (name, fact) => home.declare(name, fact));
          }
        } else {
          this.#notes.assignments.push({ target: node.left, value: undefined, scope });
        }
        this.#visit(node.right, scope);
        this.#visit(node.body, inner);
        return;
      }
      case "CatchClause": {
        const inner = new Scope(scope, false);
        if (node.param)
          declarePattern(node.param, undefined, inner, (name, fact) => inner.declare(name, fact));
        this.children(node, inner);
        return;
      }
      case "TSEnumDeclaration":
        scope.declare(node.id.name, { is: "enum", node, scope });
        scope.declareType(node.id.name, node);
        return;
      case "TSModuleDeclaration": {
        const inner = new Scope(scope, true);
        if (node.id.type === "Identifier" && node.declare !== true) {
          scope.declare(node.id.name, { is: "namespace", scope: inner });
        }
        // `declare module "x"` speaks of others.
        if (node.declare !== true && node.body) this.children(node.body, inner);
        return;
      }
      case "TSInterfaceDeclaration":
      case "TSTypeAliasDeclaration":
        scope.declareType(node.id.name, node);
        return;
      case "TSTypeParameter":
        scope.declareType(node.name.name, node);
        return;
      case "AssignmentExpression": {
        const value = node.operator === "=" ? { node: node.right, scope } : undefined;
        const settled =
          node.operator === "??=" || node.operator === "||=" ? { node: node.right, scope } : value;
        this.#notes.assignments.push({ target: node.left, value: settled, scope });
        this.children(node, scope);
        return;
      }
      case "Identifier":
        this.#notes.mentions.add(node.name);
        this.children(node, scope);
        return;
      case "UpdateExpression":
        this.#notes.assignments.push({ target: node.argument, value: undefined, scope });
        return;
      case "CallExpression": {
        this.#notes.calls.push({ node, scope });
        const callee = bare(node.callee);
        const [callback] = node.arguments;
        if (callback !== undefined && callee.type === "MemberExpression" && !callee.computed) {
          const key = plainKey(callee.property, false);
          if (key === "then") this.#given.set(callback, { node: callee.object, scope });
        }
        for (const child of childrenOf(this.#parser, node)) {
          if (child !== node.callee || !isOnlyCalled(callee)) this.#visit(child, scope);
        }
        return;
      }
      default:
        this.children(node, scope);
    }
  }

  #class(node: Class, scope: Scope): void {
    const around = new Scope(scope, false);
    if (node.id) {
      const fact: Fact = { is: "class", node, scope: around };
      if (node.type === "ClassDeclaration")
        scope.declare(node.id.name, node.declare ? { is: "unknown" } : fact);
      else around.declare(node.id.name, fact);
      scope.declareType(node.id.name, node);
    }
    const body = new Scope(around, false, node);
    this.#notes.inside.set(node, body);
    for (const decorator of node.decorators) this.#visit(decorator, scope);
    if (node.superClass) this.#visit(node.superClass, around);
    if (node.typeParameters) this.#visit(node.typeParameters, body);
    for (const member of node.body.body) {
      if ("decorators" in member) {
        const method = member.type === "MethodDefinition" && member.kind === "method" ? member : undefined;
        for (const decorator of member.decorators) {
          this.#notes.decorated.push({ decorator, method, scope: body });
        }
      }
      this.#visit(member, body);
    }
  }
}

/** `name(…)` and `name.key(…)` hand nothing on; `name.bind(…)` and the like do. */
function isOnlyCalled(callee: Expression): boolean {
  if (callee.type === "Identifier") return true;
  if (callee.type !== "MemberExpression" || bare(callee.object).type !== "Identifier") return false;
  const key = plainKey(callee.property, callee.computed);
  return key !== undefined && key !== "bind" && key !== "call" && key !== "apply" && key !== "then";
}

function nameOf(
  name: { readonly type: string } & ({ readonly name: string } | { readonly value: string }),
): string {
  return "name" in name ? name.name : name.value;
}

function assign(target: Node, value: Written | undefined, scope: Scope, notes: Notes): void {
  if (target.type === "MemberExpression") {
    const key = plainKey(target.property, target.computed);
    if (value !== undefined && key !== undefined) assignMember(target.object, key, value, scope, notes);
    return;
  }
  if ("expression" in target && target.type !== "ArrowFunctionExpression") {
    const inner: unknown = target.expression;
    if (typeof inner === "object" && inner !== null) assign(inner as Node, value, scope, notes);
    return;
  }
  declarePattern(target, value, scope, (name, fact) => scope.holder(name)?.declare(name, fact));
}

/** `this.key = …`, `exports.key = …`, `module.exports = …`, `module.exports.key = …`. */
function assignMember(object: Expression, key: string, value: Written, scope: Scope, notes: Notes): void {
  const owner = bare(object);
  if (owner.type === "ThisExpression") {
    append(scope.classBody()?.fields, key, value);
    return;
  }
  const isFree = (node: Expression, name: string) =>
    node.type === "Identifier" && node.name === name && scope.lookup(name) === undefined;
  if (isFree(owner, "exports")) {
    append(notes.assigned, key, value);
  } else if (isFree(owner, "module") && key === "exports") {
    notes.whole.push(value);
  } else if (owner.type === "MemberExpression" && isFree(bare(owner.object), "module")) {
    if (plainKey(owner.property, owner.computed) === "exports") append(notes.assigned, key, value);
  }
}

function append<T>(lists: Map<string, T[]> | undefined, key: string, value: T): void {
  const known = lists?.get(key);
  if (known === undefined) lists?.set(key, [value]);
  else known.push(value);
}

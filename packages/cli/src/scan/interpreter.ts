import type { Expression, Node, TemplateLiteral } from "oxc-parser";
import { callMeaning } from "./call-meaning.js";
import {
  type Interpreting,
  leadsToGuard,
  type Meaning,
  named,
  oneOf,
  type Place,
  UNKNOWN,
} from "./meaning.js";
import { memberOf } from "./members.js";
import type { Resolved } from "./resolve-module.js";
import type { Fact } from "./scope.js";
import type { SourceModule } from "./source-module.js";
import { bare, plainKey } from "./syntax.js";

/** How the interpreter gets at other modules. */
export interface ModuleSource {
  load(file: string): SourceModule | undefined;
  resolve(specifier: string, from: string): Resolved;
}

/** Steps from name to name after which a meaning counts as unknown. */
const MAX_DEPTH = 200;

/** Finds out what expressions stand for, by following names through the modules of the project. Nothing is run. */
export class Interpreter implements Interpreting {
  readonly #modules: ModuleSource;
  readonly #known = new Map<Node, Meaning>();
  readonly #exports = new Map<string, Meaning>();
  /** Exports that are known for good. */
  #settled = 0;
  #depth = 0;

  constructor(modules: ModuleSource) {
    this.#modules = modules;
  }

  meaningOf(node: Expression, place: Place): Meaning {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    if (this.#depth >= MAX_DEPTH) return UNKNOWN;
    // What is defined by itself means nothing.
    this.#known.set(node, UNKNOWN);
    this.#depth++;
    try {
      const meaning = this.#find(bare(node), place);
      this.#known.set(node, meaning);
      return meaning;
    } finally {
      this.#depth--;
    }
  }

  textOf(node: Expression, place: Place): string | undefined {
    const meaning = this.meaningOf(node, place);
    return meaning.is === "text" ? meaning.text : undefined;
  }

  #find(node: Expression, { module, scope }: Place): Meaning {
    // A meaning can stand for a place; only that part of it may be handed on.
    const place: Place = { module, scope };
    switch (node.type) {
      case "Literal":
        return typeof node.value === "string" ? { is: "text", text: node.value } : UNKNOWN;
      case "TemplateLiteral":
        return this.#template(node, place);
      case "Identifier":
        return this.named(node.name, place);
      case "ThisExpression": {
        const body = scope.classBody();
        return body?.owner === undefined
          ? UNKNOWN
          : { is: "instance", node: body.owner, module, scope: body };
      }
      case "MemberExpression": {
        const key = node.computed ? this.textOf(node.property, place) : plainKey(node.property, false);
        const index = plainKey(node.property, true);
        const name = key ?? (node.computed && node.property.type === "Literal" ? index : undefined);
        return name === undefined ? UNKNOWN : memberOf(this, this.meaningOf(node.object, place), name);
      }
      case "FunctionExpression":
      case "FunctionDeclaration":
      case "ArrowFunctionExpression":
        return { is: "function", node, name: node.id?.name, ...place };
      case "ClassExpression":
      case "ClassDeclaration":
        return { is: "class", node, ...place };
      case "ObjectExpression":
        return { is: "object", node, ...place };
      case "ArrayExpression":
        return { is: "array", node, ...place };
      case "AwaitExpression":
        return this.meaningOf(node.argument, place);
      case "AssignmentExpression":
        return node.operator === "=" ? this.meaningOf(node.right, place) : UNKNOWN;
      case "SequenceExpression": {
        const last = node.expressions.at(-1);
        return last === undefined ? UNKNOWN : this.meaningOf(last, place);
      }
      case "ConditionalExpression":
        return this.#either([node.consequent, node.alternate], place);
      case "LogicalExpression":
        return this.#either([node.left, node.right], place);
      case "BinaryExpression": {
        if (node.operator !== "+") return UNKNOWN;
        const [left, right] = [this.textOf(node.left, place), this.textOf(node.right, place)];
        return left === undefined || right === undefined ? UNKNOWN : { is: "text", text: left + right };
      }
      case "ImportExpression": {
        const source = this.textOf(node.source, place);
        return source === undefined ? UNKNOWN : this.moduleMeaning(source, module.file);
      }
      case "NewExpression": {
        const made = this.meaningOf(node.callee, place);
        return made.is === "class" ? { ...made, is: "instance" } : UNKNOWN;
      }
      case "CallExpression":
        return callMeaning(this, node, place);
      default:
        return UNKNOWN;
    }
  }

  #template(node: TemplateLiteral, place: Place): Meaning {
    let text = node.quasis[0]?.value.cooked ?? "";
    for (const [index, hole] of node.expressions.entries()) {
      const filled = this.textOf(hole, place);
      if (filled === undefined) return UNKNOWN;
      text += filled + (node.quasis[index + 1]?.value.cooked ?? "");
    }
    return { is: "text", text };
  }

  #either(nodes: readonly Expression[], place: Place): Meaning {
    return oneOf(nodes.map((node) => this.meaningOf(node, place)));
  }

  named(name: string, place: Place): Meaning {
    const facts = place.scope.lookup(name);
    if (facts !== undefined) return this.#ofFacts(facts, name, place.module);
    return name === "require" ? { is: "require" } : UNKNOWN;
  }

  #ofFacts(facts: readonly Fact[], name: string, module: SourceModule): Meaning {
    const enums = facts.flatMap((fact) => (fact.is === "enum" ? [fact.node] : []));
    const [first] = facts;
    if (first?.is === "enum") return { is: "enum", nodes: enums, module, scope: first.scope };
    const meanings = facts.map((fact) => this.#ofFact(fact, name, module));
    if (facts.length === 1) return meanings[0] ?? UNKNOWN;
    // A function or class that a namespace of the same name adds to.
    const declared = facts.findIndex(({ is }) => is === "function" || is === "class");
    const rest = facts.filter(({ is }) => is !== "namespace" && is !== "unknown");
    if (declared >= 0 && rest.length === 1) return meanings[declared] ?? UNKNOWN;
    return oneOf(meanings);
  }

  #ofFact(fact: Fact, name: string, module: SourceModule): Meaning {
    switch (fact.is) {
      case "import":
        if (fact.name === "=") return this.moduleMeaning(fact.source, module.file);
        return this.imported(fact.source, fact.name, module.file);
      case "value": {
        const { value, path } = fact;
        const place = { module, scope: value.scope };
        const meaning = this.meaningOf(value.node, place);
        if (path.length > 0) return path.reduce((it, key) => memberOf(this, it, key), meaning);
        return named(meaning, value.node, name);
      }
      case "fallback": {
        const meaning = this.meaningOf(fact.value.node, { module, scope: fact.value.scope });
        return leadsToGuard(meaning) || meaning.is === "module" ? meaning : UNKNOWN;
      }
      case "typed":
        return this.entity(fact.query, { module, scope: fact.scope });
      case "function":
        return { is: "function", node: fact.node, name, module, scope: fact.scope };
      case "class":
        return { is: "class", node: fact.node, module, scope: fact.scope };
      case "enum":
        return { is: "enum", nodes: [fact.node], module, scope: fact.scope };
      case "namespace":
        return { is: "namespace", module, scope: fact.scope };
      case "alias":
        return this.entity(fact.entity, { module, scope: fact.scope });
      case "unknown":
        return UNKNOWN;
    }
  }

  entity(node: Node, place: Place): Meaning {
    if (node.type === "Identifier") return this.named(node.name, place);
    if (node.type === "TSQualifiedName")
      return memberOf(this, this.entity(node.left, place), node.right.name);
    if (node.type !== "TSImportType") return UNKNOWN;
    const whole = this.moduleMeaning(node.source.value, place.module.file);
    return node.qualifier === null ? whole : this.#qualified(node.qualifier, whole);
  }

  #qualified(node: Node, whole: Meaning): Meaning {
    if (node.type === "Identifier") return memberOf(this, whole, node.name);
    if (!("left" in node && "right" in node) || node.type !== "TSQualifiedName") return UNKNOWN;
    return memberOf(this, this.#qualified(node.left, whole), node.right.name);
  }

  imported(source: string, name: string, from: string): Meaning {
    const resolved = this.#modules.resolve(source, from);
    if (resolved === undefined) return UNKNOWN;
    if (resolved.is === "sdk") return name === "*" ? { is: "sdk" } : memberOf(this, { is: "sdk" }, name);
    const module = this.#modules.load(resolved.file);
    if (module === undefined) return UNKNOWN;
    return name === "*" ? { is: "module", module } : this.exported(module, name);
  }

  moduleMeaning(source: string, from: string): Meaning {
    const meaning = this.imported(source, "*", from);
    if (meaning.is !== "module" || meaning.module.whole.length === 0) return meaning;
    const { module } = meaning;
    const whole = oneOf(module.whole.map(({ node, scope }) => this.meaningOf(node, { module, scope })));
    return whole.is === "unknown" ? meaning : whole;
  }

  exported(module: SourceModule, name: string): Meaning {
    const key = `${module.file}\0${name}`;
    const known = this.#exports.get(key);
    if (known !== undefined) return known;
    const outermost = this.#exports.size === this.#settled;
    this.#exports.set(key, UNKNOWN);
    const meaning = this.#exported(module, name);
    this.#exports.set(key, meaning);
    if (outermost) {
      // Modules that export each other: what one lacked on the way may be there when it is asked first.
      for (const [asked, { is }] of this.#exports) if (is === "unknown") this.#exports.delete(asked);
      this.#settled = this.#exports.size;
    }
    return meaning;
  }

  #exported(module: SourceModule, name: string): Meaning {
    const found = module.exports.get(name);
    if (found?.is === "local") return this.named(found.name, { module, scope: module.top });
    if (found?.is === "value") {
      const meaning = this.meaningOf(found.value.node, { module, scope: found.value.scope });
      return named(meaning, found.value.node, name);
    }
    if (found?.is === "from") return this.imported(found.source, found.name, module.file);
    const assigned = module.assigned
      .get(name)
      ?.map(({ node, scope }) => this.meaningOf(node, { module, scope }));
    if (assigned !== undefined) return oneOf(assigned);
    const wholes = module.whole.map(({ node, scope }) => this.meaningOf(node, { module, scope }));
    const members = wholes.map((whole) => memberOf(this, whole, name)).filter(({ is }) => is !== "unknown");
    if (members.length > 0) return oneOf(members);
    if (name === "default") return wholes.length > 0 ? oneOf(wholes) : defaultOf(module);
    for (const source of module.stars) {
      const meaning = this.imported(source, name, module.file);
      if (meaning.is !== "unknown") return meaning;
    }
    return UNKNOWN;
  }

  load(source: string, from: string): SourceModule | undefined {
    const resolved = this.#modules.resolve(source, from);
    return resolved?.is === "file" ? this.#modules.load(resolved.file) : undefined;
  }
}

/** A CommonJS module's own default is all that it exports. */
function defaultOf(module: SourceModule): Meaning {
  return module.exports.size === 0 && module.assigned.size > 0 ? { is: "module", module } : UNKNOWN;
}

import type { BindingPattern, Expression, Node, ParamPattern, VariableDeclaration } from "oxc-parser";
import type { Fact, Scope, Written } from "./scope.js";
import { plainKey } from "./syntax.js";

/**
 * Declares every name of a pattern.
 *
 * @param value what the pattern takes apart; `undefined`: it cannot be told
 */
export function declarePattern(
  pattern: Node,
  value: Written | undefined,
  scope: Scope,
  declare: (name: string, fact: Fact) => void,
  path: readonly string[] | undefined = [],
): void {
  switch (pattern.type) {
    case "Identifier": {
      declare(pattern.name, factOf(pattern, value, scope, path));
      return;
    }
    case "AssignmentPattern": {
      declarePattern(pattern.left, value, scope, declare, path);
      const fallback: Fact = { is: "fallback", value: { node: pattern.right, scope } };
      if (pattern.left.type === "Identifier") declare(pattern.left.name, fallback);
      else if (value === undefined) {
        // A whole default, `({ guard } = sdk)`: what is taken out of it is possible too.
        declarePattern(pattern.left, { node: pattern.right, scope }, scope, declare);
      }
      return;
    }
    case "ObjectPattern": {
      for (const property of pattern.properties) {
        if (property.type === "RestElement") {
          declarePattern(property.argument, value, scope, declare, path);
          continue;
        }
        const key = plainKey(property.key, property.computed);
        const deeper = key === undefined || path === undefined ? undefined : [...path, key];
        declarePattern(property.value, value, scope, declare, deeper);
      }
      return;
    }
    case "ArrayPattern": {
      for (const [index, element] of pattern.elements.entries()) {
        if (element === null) continue;
        const deeper = path === undefined ? undefined : [...path, String(index)];
        if (element.type === "RestElement")
          declarePattern(element.argument, value, scope, declare, undefined);
        else declarePattern(element, value, scope, declare, deeper);
      }
      return;
    }
    default:
      return;
  }
}

function factOf(
  name: { readonly typeAnnotation?: unknown },
  value: Written | undefined,
  scope: Scope,
  path: readonly string[] | undefined,
): Fact {
  if (value !== undefined && path !== undefined) return { is: "value", value, path };
  const query = typeQuery(name.typeAnnotation);
  return query === undefined ? { is: "unknown" } : { is: "typed", query, scope };
}

/** The `x` of an annotation `: typeof x`. */
export function typeQuery(annotation: unknown): Node | undefined {
  if (typeof annotation !== "object" || annotation === null || !("typeAnnotation" in annotation))
    return undefined;
  const type = annotation.typeAnnotation;
  if (typeof type !== "object" || type === null || !("type" in type) || type.type !== "TSTypeQuery")
    return undefined;
  // The parser's own tree: a type query always has the name that it asks for.
  return (type as { readonly exprName?: Node }).exprName;
}

/** Declares the names of `var`, `let`, `const` and `using`. */
export function declareVariables(node: VariableDeclaration, scope: Scope, given?: Expression): void {
  const home = node.kind === "var" ? scope.hoisting() : scope;
  for (const { id, init } of node.declarations) {
    const value = init ?? given;
    // `let guard;` says nothing yet: what is assigned to it later does.
    const declare = (name: string, fact: Fact) => {
      if (
        fact.is === "unknown" &&
        id.type === "Identifier" &&
        node.kind !== "const" &&
        node.declare !== true
      ) {
        if (!home.facts.has(name)) home.facts.set(name, []);
      } else home.declare(name, fact);
    };
    declarePattern(
      id,
      value === null || value === undefined ? undefined : { node: value, scope },
      scope,
      declare,
    );
  }
}

/** Declares a function's parameters; `first` is what its first one is known to be given. */
export function declareParameters(
  params: readonly ParamPattern[],
  scope: Scope,
  first: Written | undefined,
): void {
  for (const [index, param] of params.entries()) {
    const pattern: Node = param.type === "TSParameterProperty" ? param.parameter : param;
    const target: BindingPattern | Node = pattern.type === "RestElement" ? pattern.argument : pattern;
    const value = index === 0 && pattern.type !== "RestElement" ? first : undefined;
    declarePattern(target, value, scope, (name, fact) => scope.declare(name, fact));
  }
}

import type { ObjectPattern, ParamPattern, TSType } from "oxc-parser";
import type { FunctionMeaning, Interpreting, Meaning, Place } from "./meaning.js";
import { propertyOf } from "./members.js";
import { plainKey } from "./syntax.js";
import { shapeOfType } from "./type-names.js";

/** How a tool takes its arguments. */
export interface ToolArguments {
  readonly params: readonly string[] | undefined;
  readonly argument: "object" | "positional" | "none" | "unknown";
  /** Whether `params` lists every name that there is. */
  readonly closed: boolean;
}

const UNTOLD: ToolArguments = { params: undefined, argument: "unknown", closed: false };

/**
 * The names of a tool's arguments.
 *
 * @param options what the guard was given as options; `undefined`: none
 * @param guarded the function; `undefined`: it cannot be told
 */
export function argumentsOf(
  interpreter: Interpreting,
  options: Meaning | undefined,
  guarded: FunctionMeaning | undefined,
): ToolArguments {
  if (options?.is === "object") {
    const { meaning, there } = propertyOf(interpreter, options, "params");
    if (there === true) return positional(meaning.is === "array" ? namesIn(interpreter, meaning) : undefined);
    if (there === false) return guarded === undefined ? UNTOLD : parametersOf(interpreter, guarded);
  } else if (options === undefined) {
    return guarded === undefined ? UNTOLD : parametersOf(interpreter, guarded);
  }
  // The options may name parameters that are not seen here.
  return guarded === undefined ? UNTOLD : { ...parametersOf(interpreter, guarded), closed: false };
}

function positional(params: readonly string[] | undefined): ToolArguments {
  return { params, argument: "positional", closed: params !== undefined };
}

function namesIn(
  interpreter: Interpreting,
  list: Extract<Meaning, { is: "array" }>,
): readonly string[] | undefined {
  const names = list.node.elements.flatMap((item) => {
    const name = item === null || item.type === "SpreadElement" ? undefined : interpreter.textOf(item, list);
    return name === undefined ? [] : [name.replace(/^\.\.\./, "")];
  });
  return names.length === list.node.elements.length ? names : undefined;
}

function parametersOf(interpreter: Interpreting, { node, module, scope }: FunctionMeaning): ToolArguments {
  const place = { module, scope: module.inside.get(node) ?? scope };
  const params = node.params.filter((param) => param.type !== "Identifier" || param.name !== "this");
  const [first, second] = params;
  if (first === undefined) return { params: [], argument: "none", closed: true };
  if (second !== undefined || first.type === "RestElement") {
    const names = params.flatMap((param) => nameOf(param) ?? []);
    return positional(names.length === params.length ? names : undefined);
  }
  return loneParameter(interpreter, first, place);
}

function nameOf(param: ParamPattern): string | undefined {
  if (param.type === "Identifier") return param.name;
  if (param.type === "AssignmentPattern")
    return param.left.type === "Identifier" ? param.left.name : undefined;
  return param.type === "RestElement" && param.argument.type === "Identifier"
    ? param.argument.name
    : undefined;
}

function loneParameter(interpreter: Interpreting, param: ParamPattern, place: Place): ToolArguments {
  const target = param.type === "AssignmentPattern" ? param.left : param;
  const type = annotationOf(target);
  const shape = type === undefined ? undefined : shapeOfType(interpreter, type, place);
  if (target.type === "ObjectPattern") {
    const pattern = patternNames(target);
    if (shape !== undefined && shape !== "not-an-object") {
      const names = [...new Set([...shape.names, ...pattern.names])];
      return { params: names, argument: "object", closed: shape.closed };
    }
    return { params: pattern.names, argument: "object", closed: pattern.closed && type === undefined };
  }
  if (target.type === "ArrayPattern") return { params: undefined, argument: "positional", closed: false };
  const name = nameOf(param);
  if (shape === "not-an-object") return positional(name === undefined ? undefined : [name]);
  if (shape !== undefined) return { params: shape.names, argument: "object", closed: shape.closed };
  if (type !== undefined || param.type !== "AssignmentPattern") return UNTOLD;
  const { right } = param;
  if (right.type === "Literal" || right.type === "TemplateLiteral" || right.type === "ArrayExpression") {
    return positional(name === undefined ? undefined : [name]);
  }
  return right.type === "ObjectExpression"
    ? { params: undefined, argument: "object", closed: false }
    : UNTOLD;
}

function annotationOf(target: ParamPattern): TSType | undefined {
  return "typeAnnotation" in target ? target.typeAnnotation?.typeAnnotation : undefined;
}

function patternNames({ properties }: ObjectPattern): {
  readonly names: readonly string[];
  readonly closed: boolean;
} {
  const keys = properties.map((property) =>
    property.type === "RestElement" ? undefined : plainKey(property.key, property.computed),
  );
  return {
    names: keys.flatMap((key) => key ?? []),
    closed: !keys.includes(undefined),
  };
}

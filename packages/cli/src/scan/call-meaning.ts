import type { Argument, CallExpression, Expression, FunctionBody } from "oxc-parser";
import { type FunctionMeaning, type Interpreting, type Meaning, type Place, UNKNOWN } from "./meaning.js";
import { bare, plainKey } from "./syntax.js";

/** A call of the guard, seen as `d2Guard(...args)`. */
export interface GuardCall {
  readonly of: "guard" | "worker" | "check";
  readonly args: readonly Argument[];
}

/** What a call of the guard is given, also through `.call`, `.apply` and `.bind`. */
export function guardCall(
  interpreter: Interpreting,
  node: CallExpression,
  place: Place,
): GuardCall | undefined {
  const callee = bare(node.callee);
  const direct = interpreter.meaningOf(callee, place);
  if (isCallable(direct)) return { of: direct.is, args: node.arguments };
  if (callee.type !== "MemberExpression") return undefined;
  const key = plainKey(callee.property, callee.computed);
  if (key !== "call" && key !== "apply" && key !== "bind") return undefined;
  const owner = interpreter.meaningOf(callee.object, place);
  if (!isCallable(owner)) return undefined;
  const rest = node.arguments.slice(1);
  if (key !== "apply") return rest.length === 0 ? undefined : { of: owner.is, args: rest };
  const [list] = rest;
  if (list?.type !== "ArrayExpression") return { of: owner.is, args: rest };
  return { of: owner.is, args: list.elements.flatMap((it) => (it === null ? [] : [it])) };
}

function isCallable(meaning: Meaning): meaning is Extract<Meaning, { is: "guard" | "worker" | "check" }> {
  return meaning.is === "guard" || meaning.is === "worker" || meaning.is === "check";
}

/** What a call gives back. */
export function callMeaning(interpreter: Interpreting, node: CallExpression, place: Place): Meaning {
  const callee = bare(node.callee);
  const guarded = guardCall(interpreter, node, place);
  if (guarded !== undefined) return guardedMeaning(interpreter, node, guarded, place);
  const called = interpreter.meaningOf(callee, place);
  const [first] = node.arguments;
  if (called.is === "require") {
    const source = first === undefined ? undefined : textOf(interpreter, first, place);
    return source === undefined ? UNKNOWN : interpreter.moduleMeaning(source, place.module.file);
  }
  if (called.is === "guarding")
    return first === undefined ? UNKNOWN : argumentMeaning(interpreter, first, place);
  if (called.is === "function") return returned(interpreter, called);
  const name = nameOf(callee);
  if (name === undefined || first === undefined)
    return makesRequire(callee, place) ? { is: "require" } : UNKNOWN;
  if (name === "createRequire" && makesRequire(callee, place)) return { is: "require" };
  if (isTransparent(name, callee, place)) return argumentMeaning(interpreter, first, place);
  // `guard.bind(undefined)`, `lookup.bind(client)`: the same with another `this`.
  if (name === "bind" && callee.type === "MemberExpression" && node.arguments.length === 1) {
    return interpreter.meaningOf(callee.object, place);
  }
  return UNKNOWN;
}

function guardedMeaning(
  interpreter: Interpreting,
  node: CallExpression,
  { of, args }: GuardCall,
  place: Place,
): Meaning {
  const [first, second, third] = args;
  if (of !== "guard" || first === undefined) return UNKNOWN;
  if (third !== undefined) return argumentMeaning(interpreter, third, place);
  if (second === undefined) {
    const only = argumentMeaning(interpreter, first, place);
    return only.is === "function" ? only : { is: "guarding", call: node, sure: true };
  }
  const meaning = argumentMeaning(interpreter, second, place);
  if (meaning.is === "function") return meaning;
  return { is: "guarding", call: node, sure: meaning.is === "object" };
}

/** What a function gives back when it does nothing but that at its end. */
function returned(interpreter: Interpreting, { node, module, scope }: FunctionMeaning): Meaning {
  const inner = module.inside.get(node) ?? scope;
  const { body } = node;
  if (body === null || node.generator) return UNKNOWN;
  if (body.type !== "BlockStatement") return interpreter.meaningOf(body, { module, scope: inner });
  const value = onlyReturn(body);
  if (value === undefined) return UNKNOWN;
  return interpreter.meaningOf(value, { module, scope: module.inside.get(body) ?? inner });
}

function onlyReturn(body: FunctionBody): Expression | undefined {
  const last = body.body.at(-1);
  return last?.type === "ReturnStatement" && last.argument !== null ? last.argument : undefined;
}

function argumentMeaning(interpreter: Interpreting, argument: Argument, place: Place): Meaning {
  return argument.type === "SpreadElement" ? UNKNOWN : interpreter.meaningOf(argument, place);
}

function textOf(interpreter: Interpreting, argument: Argument, place: Place): string | undefined {
  return argument.type === "SpreadElement" ? undefined : interpreter.textOf(argument, place);
}

function nameOf(callee: Expression): string | undefined {
  if (callee.type === "Identifier") return callee.name;
  return callee.type === "MemberExpression" ? plainKey(callee.property, callee.computed) : undefined;
}

/** `createRequire(import.meta.url)`, imported from node's own `module`. */
function makesRequire(callee: Expression, { scope }: Place): boolean {
  const root = callee.type === "MemberExpression" ? bare(callee.object) : callee;
  if (root.type !== "Identifier" || nameOf(callee) === undefined) return false;
  const [fact] = scope.lookup(root.name) ?? [];
  if (fact?.is !== "import" || !/^(?:node:)?module$/.test(fact.source)) return false;
  return callee.type === "MemberExpression"
    ? nameOf(callee) === "createRequire"
    : fact.name === "createRequire";
}

/** Whether a call gives back what it is given: freezing, promises of what is there, and what compilers put around. */
function isTransparent(name: string, callee: Expression, { scope }: Place): boolean {
  if (/^_*(?:import(?:Star|Default)|toESM|toCommonJS|interop(?:_?[Rr]equire\w*|Require\w*))$/.test(name))
    return true;
  const object = callee.type === "MemberExpression" ? bare(callee.object) : undefined;
  if (object?.type !== "Identifier" || scope.lookup(object.name) !== undefined) return false;
  if (object.name === "Object") return name === "freeze" || name === "seal" || name === "preventExtensions";
  return object.name === "Promise" && (name === "all" || name === "resolve");
}

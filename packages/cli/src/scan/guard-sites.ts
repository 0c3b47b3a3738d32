import type { Argument, CallExpression, Node } from "oxc-parser";
import { guardCall } from "./call-meaning.js";
import type { FunctionMeaning, Interpreting, Meaning, Place } from "./meaning.js";
import { memberOf } from "./members.js";
import type { DecoratedMember, SourceModule } from "./source-module.js";
import { bare, plainKey } from "./syntax.js";

/** A place in the source that guards a tool, or asks about one. */
export interface GuardSite {
  readonly module: SourceModule;
  /** The call, or the decorator's expression. */
  readonly node: Node;
  readonly of: "guard" | "worker" | "check";
  /** `undefined`: it is worked out when the program runs. */
  readonly tool: string | undefined;
  /** What the tool id is written as. */
  readonly written: Node | undefined;
  /** What the guard is given as options; `undefined`: none. */
  readonly options: Meaning | undefined;
  /** What is guarded. More than one: different functions under one id. */
  readonly functions: FunctionMeaning[];
  /** Whether it decorates a method. */
  readonly method: boolean;
}

/** Every guard in these modules, in no order. */
export function guardSites(
  interpreter: Interpreting,
  modules: readonly SourceModule[],
): readonly GuardSite[] {
  const sites = new Map<Node, GuardSite>();
  for (const module of modules) {
    for (const { node, scope } of module.calls) {
      const site = siteOf(interpreter, node, { module, scope });
      if (site !== undefined) sites.set(node, site);
    }
    for (const member of module.decorated) {
      const site = bareDecorator(interpreter, member, module);
      if (site !== undefined) sites.set(site.node, site);
    }
  }
  // What `d2Guard(id)` gave may be used elsewhere, also in another module.
  for (const module of modules) {
    for (const { node, scope } of module.calls) wrapWith(interpreter, node, { module, scope }, sites);
    for (const member of module.decorated) decorateWith(interpreter, member, module, sites);
  }
  return [...sites.values()];
}

function siteOf(interpreter: Interpreting, node: CallExpression, place: Place): GuardSite | undefined {
  const call = guardCall(interpreter, node, place);
  const [first, second, third] = call?.args ?? [];
  if (call === undefined || first === undefined) return undefined;
  const meaningOf = (argument: Argument | undefined): Meaning | undefined =>
    argument === undefined || argument.type === "SpreadElement"
      ? undefined
      : interpreter.meaningOf(argument, place);
  const spread = first.type === "SpreadElement";
  const id = meaningOf(first);
  const base = { module: place.module, node, of: call.of, written: first, method: false };
  const site = (
    tool: string | undefined,
    options: Meaning | undefined,
    guarded: Meaning | undefined,
  ): GuardSite => ({
    ...base,
    tool,
    options,
    functions: guarded?.is === "function" ? [guarded] : [],
  });
  const tool = id?.is === "text" ? id.text : undefined;
  if (call.of === "check") return site(tool, undefined, undefined);
  if (call.of === "worker") {
    const options = meaningOf(third);
    return site(tool, options, spread ? undefined : workerFunction(interpreter, second, options, place));
  }
  if (id?.is === "function" && second === undefined) return site(id.name, undefined, id);
  const other = meaningOf(second);
  if (third !== undefined) return site(tool, other, meaningOf(third));
  if (other?.is === "function") return site(tool, undefined, other);
  return site(tool, other?.is === "object" || isBareDecoration(node, place) ? other : undefined, undefined);
}

/** Whether a call stands as a decorator, so that its second argument can only be options. */
function isBareDecoration(node: CallExpression, { module }: Place): boolean {
  return module.decorated.some(({ decorator }) => bare(decorator.expression) === node);
}

/** `@d2Guard` without a call: the tool id is the method's name. */
function bareDecorator(
  interpreter: Interpreting,
  { decorator, method, scope }: DecoratedMember,
  module: SourceModule,
): GuardSite | undefined {
  const place = { module, scope };
  if (method === undefined || interpreter.meaningOf(decorator.expression, place).is !== "guard")
    return undefined;
  const key = method.key;
  const tool =
    plainKey(key, method.computed) ??
    (key.type === "PrivateIdentifier" ? undefined : interpreter.textOf(key, place));
  return {
    module,
    node: decorator.expression,
    of: "guard",
    tool,
    written: key,
    options: undefined,
    functions: [{ is: "function", node: method.value, name: tool, ...place }],
    method: true,
  };
}

/** The function that a worker runs: an export of the module that a `new URL("./file.js", import.meta.url)` names. */
function workerFunction(
  interpreter: Interpreting,
  url: Argument | undefined,
  options: Meaning | undefined,
  place: Place,
): Meaning | undefined {
  if (url?.type !== "NewExpression" || url.callee.type !== "Identifier" || url.callee.name !== "URL")
    return undefined;
  const [path] = url.arguments;
  const text =
    path === undefined || path.type === "SpreadElement" ? undefined : interpreter.textOf(path, place);
  if (text === undefined || /^[a-z]+:|^\//i.test(text)) return undefined;
  const named = options?.is === "object" ? memberOf(interpreter, options, "export") : undefined;
  const name = named?.is === "text" ? named.text : "default";
  return interpreter.imported(text.startsWith(".") ? text : `./${text}`, name, place.module.file);
}

/** `guarding(fn)`, where `guarding` is what `d2Guard(id)` gave. */
function wrapWith(
  interpreter: Interpreting,
  node: CallExpression,
  place: Place,
  sites: ReadonlyMap<Node, GuardSite>,
): void {
  const guarding = interpreter.meaningOf(node.callee, place);
  const [first] = node.arguments;
  if (guarding.is !== "guarding" || first === undefined || first.type === "SpreadElement") return;
  if (!guarding.sure && bare(node.callee) !== guarding.call) return;
  const guarded = interpreter.meaningOf(first, place);
  const site = sites.get(guarding.call);
  if (guarded.is === "function") site?.functions.push(guarded);
}

/** `@guarding method() {}`. */
function decorateWith(
  interpreter: Interpreting,
  { decorator, method, scope }: DecoratedMember,
  module: SourceModule,
  sites: Map<Node, GuardSite>,
): void {
  const place = { module, scope };
  const guarding = interpreter.meaningOf(decorator.expression, place);
  if (method === undefined || guarding.is !== "guarding") return;
  const site = sites.get(guarding.call);
  if (site === undefined) return;
  const functions = [
    ...site.functions,
    { is: "function", node: method.value, name: undefined, ...place } as const,
  ];
  sites.set(guarding.call, { ...site, functions, method: true });
}

import type {
  ArrayExpression,
  CallExpression,
  Class,
  Expression,
  Node,
  ObjectExpression,
  TSEnumDeclaration,
} from "oxc-parser";
import type { AnyFunctionNode, Scope } from "./scope.js";
import type { SourceModule } from "./source-module.js";
import { bare } from "./syntax.js";

/** Where something is written: its module, and the scope in which its names are looked up. */
export interface Place {
  readonly module: SourceModule;
  readonly scope: Scope;
}

/** A function of the project. */
export interface FunctionMeaning extends Place {
  readonly is: "function";
  readonly node: AnyFunctionNode;
  /** What its `name` is when the program runs; `undefined`: none. */
  readonly name: string | undefined;
}

/** What an expression is known to stand for without running the program. */
export type Meaning =
  /** `d2Guard` itself. */
  | { readonly is: "guard" }
  /** `d2Guard.worker`. */
  | { readonly is: "worker" }
  /** `check`. */
  | { readonly is: "check" }
  /** The guard's package, with all that it exports. */
  | { readonly is: "sdk" }
  /** What `d2Guard(id)` gives; not `sure` when the call may have been given a function already. */
  | { readonly is: "guarding"; readonly call: CallExpression; readonly sure: boolean }
  | { readonly is: "text"; readonly text: string }
  | FunctionMeaning
  | ({ readonly is: "object"; readonly node: ObjectExpression } & Place)
  | ({ readonly is: "array"; readonly node: ArrayExpression } & Place)
  | ({ readonly is: "class"; readonly node: Class } & Place)
  /** An object of a class. */
  | ({ readonly is: "instance"; readonly node: Class } & Place)
  | ({ readonly is: "enum"; readonly nodes: readonly TSEnumDeclaration[] } & Place)
  /** A TypeScript `namespace`. */
  | ({ readonly is: "namespace" } & Place)
  /** All that a module of the project exports. */
  | { readonly is: "module"; readonly module: SourceModule }
  /** What loads CommonJS modules. */
  | { readonly is: "require" }
  | { readonly is: "unknown" };

export const UNKNOWN: Meaning = Object.freeze({ is: "unknown" });

/** Whether something leads to the guard: then it counts even where it is only one of several possibilities. */
export function leadsToGuard({ is }: Meaning): boolean {
  return is === "guard" || is === "worker" || is === "check" || is === "sdk" || is === "guarding";
}

/** What holds for all; what leads to the guard counts even when other things are possible. */
export function oneOf(meanings: readonly Meaning[]): Meaning {
  const guard = meanings.find(leadsToGuard);
  if (guard !== undefined) return guard;
  const [first, ...rest] = meanings;
  if (first === undefined) return UNKNOWN;
  const same = rest.every((it) => it.is === "text" && first.is === "text" && it.text === first.text);
  return same ? first : UNKNOWN;
}

/** A function that is written without a name gets that of what it is bound to. */
export function named(meaning: Meaning, written: Expression, name: string): Meaning {
  if (meaning.is !== "function" || meaning.name !== undefined) return meaning;
  const { type } = bare(written);
  const isItself =
    type === "FunctionExpression" || type === "ArrowFunctionExpression" || type === "FunctionDeclaration";
  return isItself ? { ...meaning, name } : meaning;
}

/** How the parts of the interpreter ask each other. */
export interface Interpreting {
  meaningOf(node: Expression, place: Place): Meaning;
  /** The text that an expression is sure to be. */
  textOf(node: Expression, place: Place): string | undefined;
  /** What a name stands for where it is written. */
  named(name: string, place: Place): Meaning;
  /** What `a.b` or `import("x")` means in a type, or after `import x =`. */
  entity(node: Node, place: Place): Meaning;
  /** What a module of the project exports under a name. */
  exported(module: SourceModule, name: string): Meaning;
  /** What `import { name } from "source"` gives; `*` is the module itself. */
  imported(source: string, name: string, from: string): Meaning;
  /** What `require("source")` and `import("source")` give. */
  moduleMeaning(source: string, from: string): Meaning;
  /** The module of the project that an import means. */
  load(source: string, from: string): SourceModule | undefined;
}

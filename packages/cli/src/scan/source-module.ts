import type { CallExpression, Decorator, MethodDefinition, Node, Program } from "oxc-parser";
import type { Scope, Written } from "./scope.js";

/** What a module lets others have under a name. */
export type Export =
  | { readonly is: "local"; readonly name: string }
  | { readonly is: "value"; readonly value: Written }
  | { readonly is: "from"; readonly source: string /** `*` is the module itself. */; readonly name: string };

/** A parsed module, with what is declared where. */
export interface SourceModule {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
  readonly program: Program;
  readonly top: Scope;
  readonly exports: ReadonlyMap<string, Export>;
  /** The sources of `export * from`. */
  readonly stars: readonly string[];
  /** What is assigned to `module.exports`, or exported with `export =`. */
  readonly whole: readonly Written[];
  /** What is assigned to `exports.name`. */
  readonly assigned: ReadonlyMap<string, readonly Written[]>;
  readonly calls: readonly { readonly node: CallExpression; readonly scope: Scope }[];
  readonly decorated: readonly DecoratedMember[];
  /** The scope in which a function's parameters are, that of its body, and that of a class's members. */
  readonly inside: ReadonlyMap<Node, Scope>;
  /** Names that stand anywhere but before the brackets of a call. */
  readonly mentions: ReadonlySet<string>;
}

/** A decorator on a member of a class. */
export interface DecoratedMember {
  readonly decorator: Decorator;
  /** `undefined` on a field or accessor, which cannot be guarded. */
  readonly method: MethodDefinition | undefined;
  readonly scope: Scope;
}

import type {
  ArrowFunctionExpression,
  Class,
  Expression,
  Function as FunctionNode,
  Node,
  TSEnumDeclaration,
} from "oxc-parser";

export type AnyFunctionNode = FunctionNode | ArrowFunctionExpression;

/** An expression together with where its names are looked up. */
export interface Written {
  readonly node: Expression;
  readonly scope: Scope;
}

/** One thing that the source says about what a name stands for. */
export type Fact =
  | { readonly is: "import"; readonly source: string /** `*` is the module itself. */; readonly name: string }
  | {
      readonly is: "value";
      readonly value: Written;
      /** The way from the value to what is bound, for destructuring. */
      readonly path: readonly string[];
    }
  /** A parameter's default: what it may stand for. */
  | { readonly is: "fallback"; readonly value: Written }
  /** Declared as `typeof something`. */
  | { readonly is: "typed"; readonly query: Node; readonly scope: Scope }
  | { readonly is: "function"; readonly node: FunctionNode; readonly scope: Scope }
  | { readonly is: "class"; readonly node: Class; readonly scope: Scope }
  | { readonly is: "enum"; readonly node: TSEnumDeclaration; readonly scope: Scope }
  | { readonly is: "namespace"; readonly scope: Scope }
  | { readonly is: "alias"; readonly entity: Node; readonly scope: Scope }
  | { readonly is: "unknown" };

/** A block of source in which names are declared. */
export class Scope {
  readonly parent: Scope | undefined;
  /** Whether `var` ends here. */
  readonly hoists: boolean;
  /** The class whose body this is. */
  readonly owner: Class | undefined;
  readonly facts = new Map<string, Fact[]>();
  /** Interfaces, type aliases and type parameters, by name. */
  readonly types = new Map<string, Node[]>();
  /** Of a class body: what is assigned to `this.name`. */
  readonly fields = new Map<string, Written[]>();

  constructor(parent: Scope | undefined, hoists: boolean, owner?: Class) {
    this.parent = parent;
    this.hoists = hoists;
    this.owner = owner;
  }

  declare(name: string, fact: Fact): void {
    const known = this.facts.get(name);
    if (known === undefined) this.facts.set(name, [fact]);
    else known.push(fact);
  }

  declareType(name: string, node: Node): void {
    const known = this.types.get(name);
    if (known === undefined) this.types.set(name, [node]);
    else known.push(node);
  }

  /** What is known of a name as it is seen from here; `undefined`: nobody declares it. */
  lookup(name: string): readonly Fact[] | undefined {
    return this.holder(name)?.facts.get(name);
  }

  /** The scope that declares a name seen from here. */
  holder(name: string): Scope | undefined {
    if (this.facts.has(name)) return this;
    return this.parent?.holder(name);
  }

  /** Where a `var` written here belongs. */
  hoisting(): Scope {
    return this.hoists || this.parent === undefined ? this : this.parent.hoisting();
  }

  /** The body of the class that this is in. */
  classBody(): Scope | undefined {
    return this.owner === undefined ? this.parent?.classBody() : this;
  }
}

/** The shape of a policy as an author writes it, short forms included. Nothing is checked here. */

/** A list of strings; a lone one is a list of one. */
export type Names = string | readonly string[];

/** The operators of one rule, and `action` in an output rule. */
export type Rule = Readonly<Record<string, unknown>>;

export interface AuthoredPermission {
  readonly tool?: string;
  readonly id?: string;
  readonly allow?: boolean;
  readonly conditions?: {
    readonly input?: Readonly<Record<string, Rule>>;
    /** Field rules by path, and the global rules by their names. */
    readonly output?: Readonly<Record<string, unknown>>;
  };
}

export interface AuthoredRule {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly reason?: string;
}

export interface AuthoredEntry {
  readonly role?: Names;
  readonly roles?: Names;
  readonly permissions?: string | readonly (string | AuthoredPermission)[];
  readonly sequence?:
    | readonly AuthoredRule[]
    | { readonly mode?: "allow" | "deny"; readonly rules?: readonly AuthoredRule[] };
}

export interface AuthoredPolicy {
  readonly version?: number;
  readonly metadata?: {
    readonly name?: string;
    readonly expires?: string;
    readonly tool_groups?: Readonly<Record<string, Names>>;
    readonly data_flow?: {
      readonly labels?: Readonly<Record<string, Names>>;
      readonly blocks?: Readonly<Record<string, Names>>;
    };
  };
  readonly policies: readonly AuthoredEntry[];
}

/** Who a session acts for. */
export interface User {
  readonly id: string;
  readonly roles: readonly string[];
}

/** A decision, as far as surfaces are compared: `reason` is the reason code. */
export interface Verdict {
  readonly outcome: "allow" | "deny";
  readonly reason: string;
  /** Paths and operators of the broken input rules, where the surface tells them. */
  readonly violations?: readonly {
    readonly path: string;
    readonly operator: string;
    readonly operand?: unknown;
  }[];
}

/** How a call was named, where that is not plain: parameter names of the guard, arguments beyond them. */
export interface Naming {
  readonly names?: readonly string[];
  readonly beyond?: boolean;
}

/** What a tool ended with. The refusal of a guarded call inside it goes on as it is. */
export type Ending = { readonly returned: unknown } | { readonly threw: unknown; readonly refusal?: boolean };

/** Where a list may stand, a lone item is a list of one. */
export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as T]; // no list, so it is the item
}

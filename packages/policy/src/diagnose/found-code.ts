/** A tool that a program guards, as far as its source tells. */
export interface FoundTool {
  /** The tool id, as the guard is given it. */
  readonly tool: string;
  /** As it is to be shown. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in code points. */
  readonly column: number;
  readonly kind: "function" | "method" | "generator" | "worker" | "unknown";
  /**
   * Names of the arguments: those of the guard's own `params`, else those of the function's parameters; where the
   * function takes one object, the names of its properties. `undefined`: they cannot be told.
   */
  readonly params: readonly string[] | undefined;
  /** How the function takes its arguments: as one object, one after the other, not at all; `unknown`: it cannot be told. */
  readonly argument: "object" | "positional" | "none" | "unknown";
  /** Whether `params` lists every name that there is. Default false. */
  readonly closed?: boolean;
}

/** A guard whose tool id is worked out when the program runs. */
export interface DynamicTool {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The expression, as written. */
  readonly text?: string;
}

/** What a search through a program's source has found. */
export interface FoundCode {
  readonly tools: readonly FoundTool[];
  readonly dynamic: readonly DynamicTool[];
  /** Files that were looked at. */
  readonly scanned: number;
}

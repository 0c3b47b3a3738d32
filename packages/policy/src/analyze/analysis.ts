import type { Decision } from "d2-core";
import type { Locate } from "../locate.js";

/** What is asked of a policy. */
export interface Question {
  /** One user who holds all of these. Default: each role of the policy by itself. */
  readonly roles?: readonly string[] | undefined;
  /** Tool reference: an exact id, a prefix such as `db.*`, `*`, or `@group`. Left out: anything, or nothing, before. */
  readonly from?: string | undefined;
  /** Tool reference. Left out together with `from`: no question, the policy is looked through for findings. */
  readonly to?: string | undefined;
}

export interface AnalyzeOptions {
  /** States that may be looked at, all searches together. Default 200,000. */
  readonly maxStates?: number | undefined;
  /**
   * Runs a script once more, through a real guard, and says whether it went as written. A path that it does not confirm
   * is answered as possible. Default: the script is only run through the decisions of `d2-core`.
   */
  readonly confirm?: ((script: Script) => boolean) | undefined;
  /** Gives the place of a document path in the text. */
  readonly locate?: Locate | undefined;
}

/** Calls of one user in one session, to be made one after the other. Plain data. */
export interface Script {
  readonly roles: readonly string[];
  readonly steps: readonly ScriptStep[];
}

/** One call, what its function is to do, and that it is allowed; one that returns is released as well. */
export type ScriptStep = {
  readonly tool: string;
  /** The call's one argument; its keys name the arguments. */
  readonly args: Readonly<Record<string, unknown>>;
} & ({ readonly returns: unknown } | { readonly throws: string });

export interface PathStep {
  readonly tool: string;
  /** The pattern that the tool was made up for: no rule tells it from others that the pattern matches. */
  readonly stands?: string;
  /** How the call ends. A call that failed threw, or what it returned was refused. Of the last one only that it is allowed matters. */
  readonly ends: "released" | "failed";
  /** Arguments that satisfy its input rules; absent: none could be generated. */
  readonly args?: Readonly<Record<string, unknown>>;
}

/** What stood in the way wherever the search looked. */
export interface Closing {
  readonly layer: Decision["layer"];
  readonly rule?: string;
  readonly line?: number;
  readonly column?: number;
  readonly words: string;
}

/** How far a "cannot" reaches. */
export type Covers = "any interleaving" | "calls one after another";

/** What holds for one set of roles. */
export type Answer =
  | {
      readonly answer: "cannot";
      readonly roles: readonly string[];
      readonly words: string;
      readonly covers: Covers;
      /** States that the closed search looked at, and the letters (sets of tools that nothing tells apart) it tried in each. */
      readonly states: number;
      readonly letters: number;
      readonly closedBy: readonly Closing[];
    }
  | {
      readonly answer: "can";
      readonly roles: readonly string[];
      readonly words: string;
      /** A shortest one among those for which arguments could be generated. */
      readonly path: readonly PathStep[];
      readonly script: Script;
      readonly states: number;
    }
  | {
      readonly answer: "possible";
      readonly roles: readonly string[];
      readonly words: string;
      readonly path: readonly PathStep[];
      readonly states: number;
    }
  | {
      readonly answer: "stopped";
      readonly roles: readonly string[];
      readonly words: string;
      readonly states: number;
      /** Every path of this many calls has been tried, without finding one. */
      readonly calls: number;
      readonly why: Stop;
    };

/**
 * Why a search ended before it was closed. `states`: `maxStates` is used up. `threads`: a rule has more ways to be
 * excused than a session keeps apart (256), and beyond them nothing is proved.
 */
export type Stop = "states" | "threads";

export type FindingKind =
  | "unreachable_tool"
  | "idle_block"
  | "idle_label"
  | "dead_deny"
  | "redundant_deny"
  | "dead_allow"
  | "unreachable_sequence"
  | "idle_forbid"
  | "shadowed_permission"
  | "unsatisfiable_input";

/** Something in the policy that does nothing, or that nobody can do. */
export interface Finding {
  readonly kind: FindingKind;
  /** Whether it is proved. Otherwise nothing was found that says otherwise. */
  readonly certain: boolean;
  /** Whom it is about: users with any roles, or users who hold one role (or, where the question named roles, these). */
  readonly scope: "any user" | "users with one role" | "users with these roles";
  /** The roles that it was proved for. */
  readonly roles: readonly string[];
  readonly words: string;
  /** Document path. */
  readonly rule?: string;
  readonly line?: number;
  readonly column?: number;
  readonly tool?: string;
  readonly label?: string;
}

/** What one entry of `data_flow.blocks` does: for which roles the label is reached and a call is then stopped by it alone. */
export interface BlockReach {
  readonly label: string;
  readonly rule: string;
  readonly line?: number;
  readonly column?: number;
  readonly tools: readonly string[];
  readonly stops: readonly string[];
  readonly idle: readonly string[];
  /** Roles for which the search was stopped. */
  readonly unknown: readonly string[];
}

/** A search of the findings that was stopped. */
export interface Unfinished {
  readonly what: string;
  readonly rule?: string;
  readonly roles: readonly string[];
  readonly states: number;
  readonly why: Stop;
}

/** The answers to a question, or what was found without one. Plain data, in a fixed order. */
export interface Analysis {
  readonly question: Question;
  readonly answers: readonly Answer[];
  readonly blocks: readonly BlockReach[];
  readonly findings: readonly Finding[];
  readonly unfinished: readonly Unfinished[];
  /** States looked at, all searches together. */
  readonly states: number;
}

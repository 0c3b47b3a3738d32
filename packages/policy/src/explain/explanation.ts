import type { Decision, Layer, PolicyState, Release } from "d2-core";

/** A call to explain. */
export interface ExplainedCall {
  readonly tool: string;
  /** Absent, or with an empty id: nobody. */
  readonly user?: { readonly id: string; readonly roles: readonly string[] } | undefined;
  /** Named arguments (with `params` they are put in the order of the names), or a list of positional ones. Default: none. */
  readonly args?: Readonly<Record<string, unknown>> | readonly unknown[] | undefined;
  /** Names of positional arguments. */
  readonly params?: readonly string[] | undefined;
  /** Tool ids of the session's earlier calls, oldest first; each is taken to have ended and been released. Default: none. */
  readonly history?: readonly string[] | undefined;
  /** Labels recorded by the application. Those that the policy gives for the history are there without being named. */
  readonly facts?: readonly string[] | undefined;
  /** Default: `current`, or with `now` what the policy's `expires` says. */
  readonly state?: PolicyState | undefined;
  /** What the function returned; only looked at when the call is allowed. */
  readonly output?: { readonly value: unknown } | undefined;
}

export interface ExplainOptions {
  /** Milliseconds since 1970-01-01T00:00:00Z, to say how long the policy is good for. */
  readonly now?: number | undefined;
  /** Whether distances to bounds are given, which tell the caller's values. Default false. */
  readonly values?: boolean | undefined;
  /** Gives the place of a document path in the text. */
  readonly locate?:
    | ((path: string) => { readonly line: number; readonly column: number } | undefined)
    | undefined;
}

/** What one layer says of the call. */
export interface LayerVerdict {
  readonly layer: Exclude<Layer, "none">;
  /** `not_reached`: a layer before has denied, or, of the output, there is none to look at. `no_rules`: nothing to ask. */
  readonly verdict: "pass" | "deny" | "not_reached" | "no_rules";
  /** What it says, or would say if it were reached. */
  readonly would: "pass" | "deny" | "no_rules" | "unknown";
  readonly reason?: string;
  readonly rule?: string;
  readonly detail?: string;
}

/** A rule that had a say. */
export interface ConsultedRule {
  /** Document path. */
  readonly rule: string;
  readonly effect: "granted" | "forbade" | "satisfied" | "violated" | "matched" | "blocked";
  readonly words: string;
  readonly line?: number;
  readonly column?: number;
}

/**
 * One step of a change. Steps are made in their order: places in the history (`calls`, `at`, counted from 0) are those of
 * the history as the steps before have left it.
 */
export type Step =
  | { readonly kind: "policy_state"; readonly words: string }
  | { readonly kind: "user"; readonly words: string }
  | { readonly kind: "role"; readonly roles: readonly string[]; readonly words: string }
  /** Roles that the user must not have. */
  | { readonly kind: "role_without"; readonly roles: readonly string[]; readonly words: string }
  | { readonly kind: "grant"; readonly role: string; readonly tool: string; readonly words: string }
  /** A value wherever the path leads to; without `value` it is said in words alone. It comes from the policy. */
  | { readonly kind: "argument"; readonly path: string; readonly value?: unknown; readonly words: string }
  | { readonly kind: "argument_left_out"; readonly path: string; readonly words: string }
  | { readonly kind: "arguments"; readonly words: string }
  | { readonly kind: "history_without"; readonly calls: readonly number[]; readonly words: string }
  /** A call to put in at this place of the history. */
  | { readonly kind: "call_before"; readonly tool: string; readonly at: number; readonly words: string }
  | { readonly kind: "facts_without"; readonly labels: readonly string[]; readonly words: string };

/** Steps that together would allow the call. */
export interface ProposedChange {
  readonly steps: readonly Step[];
  /** Whether the call was decided again with them, and allowed. */
  readonly verified: boolean;
}

/** Something that came close, or that this call brings closer. */
export interface CloseRule {
  readonly kind: "bound" | "sequence" | "label" | "expiry";
  readonly rule?: string;
  readonly words: string;
  /** Tools that this call would close for the rest of the session. */
  readonly tools?: readonly string[];
  /** From the value to the bound; with the option `values`. */
  readonly distance?: number;
}

/** Why a call is decided as it is. Plain data, deeply frozen, in a fixed order; of the caller's values there is nothing in it. */
export interface Explanation {
  readonly tool: string;
  readonly roles: readonly string[];
  readonly decision: Decision;
  /** The answer to `output`, when the call is allowed and there is one. Without the value. */
  readonly release: Pick<Release, "decision" | "transforms"> | undefined;
  readonly layers: readonly LayerVerdict[];
  readonly rules: readonly ConsultedRule[];
  /** For a denial: the smallest changes that would allow the call. */
  readonly changes: readonly ProposedChange[];
  /** For an allowed call: what came close. */
  readonly close: readonly CloseRule[];
}

import type { Layer, ParameterNames, ReasonCode } from "d2-core";

/** The tests of one file, ready to run. Plain data but for the arguments and values that the file gives. */
export interface PolicyTests {
  /** As it was given to the reader, for messages. */
  readonly file: string | undefined;
  /** The file's `policy`, as written: a path relative to the test file. */
  readonly policy: string | undefined;
  readonly tests: readonly PolicyTest[];
}

/** One test, or one row of a table: a session that begins empty. */
export interface PolicyTest {
  readonly name: string;
  /** Where it stands in its file, counted from 1. */
  readonly line: number;
  readonly column: number;
  readonly user: TestUser | undefined;
  /** Labels that the session has before the first call. */
  readonly facts: readonly string[];
  /** Milliseconds since 1970-01-01T00:00:00Z; absent: the policy is taken as current. */
  readonly now: number | undefined;
  /** The calls in order; those of the `history` first. */
  readonly calls: readonly TestCall[];
}

export interface TestUser {
  readonly id: string;
  readonly roles: readonly string[];
}

/** One call of a test. */
export interface TestCall {
  /** `history`: the call must be possible. `call`: the one that the test is about. `step`: one of several. */
  readonly part: "history" | "call" | "step";
  /** Its place among the calls of its part, counted from 1. */
  readonly number: number;
  readonly tool: string;
  /** In their order; one mapping when the tool has no `params`. */
  readonly args: readonly unknown[];
  readonly names: ParameterNames | undefined;
  /** What the function returns; absent: nothing that is looked at, and the call ends well. */
  readonly returns: { readonly value: unknown } | undefined;
  /** The function throws, or what it returns is refused. */
  readonly fails: boolean;
  /** Entered into the history without asking the policy. */
  readonly assume: boolean;
  /** Absent: the call must be allowed. */
  readonly expect: Expectation | undefined;
  readonly line: number;
  readonly column: number;
}

/** What a test expects; only what is written is compared. */
export interface Expectation {
  readonly decision?: "allow" | "deny";
  readonly reason?: ReasonCode;
  readonly layer?: Layer;
  /** Document path of the deciding rule, or of something around it. */
  readonly rule?: string;
  readonly detail?: string;
  /** Paths of all broken rules, in any order. */
  readonly violations?: readonly string[];
  /** The released value. */
  readonly value?: { readonly is: unknown };
  /** Part of the released value: mappings may hold more keys than these. */
  readonly valueIncludes?: { readonly is: unknown };
}

import type { Decision } from "../decision.js";
import type { InputPlan } from "../input/compile-input.js";
import type { OutputPlan } from "../output/compile-output.js";
import type { SequenceSpace } from "../sequence/space.js";

/** A label block that could deny a tool. */
export interface Block {
  readonly label: string;
  readonly denial: Decision;
}

/** Everything that the policy says of one tool to users with one set of roles. */
export interface ToolEntry {
  readonly tool: string;
  /** The answer of the permission layer when it is no. */
  readonly denial: Decision | undefined;
  readonly labels: readonly string[];
  readonly blocks: readonly Block[];
  /** The automaton of the roles' sequence rules; absent when they have none. */
  readonly space: SequenceSpace | undefined;
  readonly toolClass: number;
  readonly input: InputPlan | undefined;
  readonly output: OutputPlan | undefined;
  /** The verdict on every call that no layer before the input rules objects to, made once. */
  readonly allowed: CallVerdict;
  /** The verdict on every call, where neither the session nor the arguments have a say in it. */
  readonly always: CallVerdict | undefined;
}

/** The answer to a call, with what an allowed one needs next. */
export interface CallVerdict {
  readonly decision: Decision;
  /** What must be handed to the tool in place of the arguments it was called with; absent: those themselves. */
  readonly args: readonly unknown[] | undefined;
  /** The rules for the tool; absent when there was no policy or no user to look them up with. */
  readonly entry: ToolEntry | undefined;
}

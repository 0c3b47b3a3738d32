import type { Violation } from "../decision.js";

/** Whether the arguments of a call satisfy the input rules of its tool. */
export type InputVerdict =
  | {
      readonly ok: true;
      /** What must be handed to the tool: the very values that were judged. */
      readonly args: readonly unknown[];
    }
  | {
      readonly ok: false;
      readonly violations: readonly Violation[];
      /** `unnamed_arguments`, `extra_arguments`, `unknown_argument` or `not_inspectable`. */
      readonly detail?: string;
      /** Document path of the first broken rule. */
      readonly rule: string;
    };

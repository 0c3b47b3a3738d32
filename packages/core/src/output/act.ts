import type { ActionName } from "../document/document.js";

/** Answer of an act: the key or list item goes. No returned value can be a symbol, so none can be taken for it. */
export const REMOVED = Symbol("removed");

/** Answer of an act: nothing of the value may leave. */
export const DENIED = Symbol("denied");

/** What stands in the place of what was redacted. */
export const REDACTED = "[REDACTED]";

/** What an act makes of a value that is neither list nor mapping: the value itself where it does not fire. */
export type LeafAct = (value: unknown) => unknown;

/** An output rule with an action, ready to run. */
export interface Act {
  /** Place among the rules with an action; they run in this order. */
  readonly index: number;
  readonly path: string;
  readonly action: ActionName;
  /** Document path of the rule. */
  readonly rule: string;
  readonly report: { readonly path: string; readonly action: ActionName };
  /** `deny` with `required: true`: fires too where the field is absent. */
  readonly wantsPresence: boolean;
  /** All operators, on a value that is neither list nor mapping. */
  readonly onLeaf: LeafAct;
  /** Whether a list or mapping fires as a whole, its strings apart. */
  readonly firesOnWhole: (value: unknown) => boolean;
  /** The operators that are tried on every string and number inside a list or mapping; absent where there is none. */
  readonly onText: LeafAct | undefined;
  /** `redact` with `matches`: answers `DENIED` for what the pattern is found in, so that it can be sought inside. */
  readonly findsMatch: LeafAct | undefined;
  /** Operand of `maxLength`, for `truncate`. */
  readonly length: number;
}

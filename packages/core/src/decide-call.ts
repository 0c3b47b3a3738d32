import { ALLOW, type Decision, deny } from "./decision.js";
import { judgeInput } from "./input/judge-input.js";
import type { ParameterNames } from "./input/parameter-names.js";
import type { RoleView } from "./plan/role-view.js";
import type { CallVerdict, ToolEntry } from "./plan/tool-entry.js";
import type { Session } from "./session.js";

/** What was the matter with the policy when the call was made. An input, so that the clock is nowhere in here. */
export type PolicyState = "current" | "expired" | "unavailable";

/** A call as the layers after the policy's state and the user see it. */
export interface Call {
  readonly tool: string;
  /** A small number that the caller has for this tool id and no other; only makes finding its rules quicker. */
  readonly slot?: number | undefined;
  /** The call's session; read, never changed. */
  readonly session: Session;
  /** Id of the running call of the session's family that this one is made inside of; 0: none. */
  readonly enclosing: number;
  /** Names for positional arguments, if the guard was given any. */
  readonly names: ParameterNames | undefined;
  readonly args: readonly unknown[];
}

const UNAVAILABLE: CallVerdict = refused(deny("policy_unavailable", "policy_state"), undefined);
const EXPIRED: CallVerdict = refused(deny("policy_expired", "policy_state"), undefined);
const NO_CONTEXT: CallVerdict = refused(deny("no_context", "context"), undefined);
const EVALUATION_ERROR: CallVerdict = refused(deny("evaluation_error", "none"), undefined);

/**
 * Whether a call may run, asked of one layer after another in the order of the language's section 9. Pure: equal
 * inputs and an equal session give an equal answer, and nothing is recorded. Whatever goes wrong in here denies.
 *
 * @param state what is the matter with the policy, if anything
 * @param view the merged rules of the user's roles; absent when there is no user
 * @param call absent when there is no user
 */
export function decideCall(
  state: PolicyState,
  view: RoleView | undefined,
  call: Call | undefined,
): CallVerdict {
  try {
    if (state !== "current") return state === "expired" ? EXPIRED : UNAVAILABLE;
    if (view === undefined || call === undefined) return NO_CONTEXT;
    const entry = view.entry(call.tool, call.slot);
    if (entry.always !== undefined) return entry.always;
    const denial = denialByHistory(entry, call);
    if (denial !== undefined) return refused(denial, entry);
    if (entry.input === undefined) return entry.allowed;
    const { moment } = call.session;
    const verdict = judgeInput(entry.input, call.names, call.args);
    if (!verdict.ok) return refused(deny("input_validation", "input", verdict), entry);
    if (call.session.moment !== moment) return afterAccessors(entry, call, verdict.args);
    return { decision: ALLOW, args: verdict.args, entry };
  } catch {
    // INVARIANT: an error while deciding never allows. What was thrown may hold argument values, so it stays here.
    return EVALUATION_ERROR;
  }
}

/** An accessor among the arguments has made calls of its own while it was read: they came before this call. */
function afterAccessors(entry: ToolEntry, call: Call, args: readonly unknown[]): CallVerdict {
  if (!call.session.open) return EVALUATION_ERROR;
  const denial = denialByHistory(entry, call);
  return denial === undefined ? { decision: ALLOW, args, entry } : refused(denial, entry);
}

function denialByHistory(entry: ToolEntry, call: Call): Decision | undefined {
  const { session } = call;
  if (entry.space !== undefined) {
    const denial = session.tracker(entry.space).denial(session, call.tool, entry.toolClass, call.enclosing);
    if (denial !== undefined) {
      const { rule, reason } = denial;
      return deny(
        "sequence_violation",
        "sequence",
        reason === undefined ? { rule } : { rule, detail: reason },
      );
    }
  }
  if (entry.blocks.length === 0) return undefined;
  const { facts } = session;
  return entry.blocks.find(({ label }) => facts.has(label))?.denial;
}

function refused(decision: Decision, entry: ToolEntry | undefined): CallVerdict {
  return { decision, args: undefined, entry };
}

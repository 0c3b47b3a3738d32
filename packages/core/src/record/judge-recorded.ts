import { decodeTagged } from "../canonical/tagged.js";
import { decideCall, type PolicyState } from "../decide-call.js";
import { decideRelease, type Release } from "../decide-release.js";
import type { Decision } from "../decision.js";
import type { Plan } from "../plan/plan.js";
import type { ToolEntry } from "../plan/tool-entry.js";
import type { Session } from "../session.js";
import { isList, isMapping, type PlainMapping } from "../values/kind.js";
import { holdsUnwritten, lacksArguments, readArguments } from "./arguments.js";
import { STRICT_SYNC } from "./strict-sync.js";

/** Why a recorded decision cannot be taken again. */
export type NotReplayable =
  | "arguments_withheld"
  | "output_withheld"
  | "identity_withheld"
  | "stream"
  | "thrown";

/** A decision taken again from what was recorded. */
export type RecordedVerdict =
  | { readonly decision: Decision; readonly entry: ToolEntry | undefined }
  | { readonly cause: NotReplayable };

/** Inputs that no guard has written. */
export class BadInputs extends Error {}

/**
 * Decides a recorded call again.
 *
 * @param inputs of a `tool.call`, as read from JSON
 * @param session the call's session as it was; its facts are those of the inputs
 * @param enclosing id in the session's family of the running call that this one was made inside of; 0: none
 * @throws {BadInputs} when the inputs are not those of a call
 */
export function judgeRecorded(
  plan: Plan | undefined,
  inputs: unknown,
  session: Session,
  enclosing: number,
): RecordedVerdict {
  const { tool, extensions, user } = readInputs(inputs, "tool.call");
  if (extensions["strict_sync"] === true) return { decision: STRICT_SYNC, entry: undefined };
  const state = readState(extensions["policy_state"]);
  const roles = readTexts(extensions["roles"]);
  if (roles === undefined) return { cause: "identity_withheld" };
  if (!user || plan === undefined || state !== "current") {
    return decideCall(
      plan === undefined && state === "current" ? "unavailable" : state,
      undefined,
      undefined,
    );
  }
  const view = plan.view(roles);
  const call = { tool, session, enclosing, names: undefined, args: [] as readonly unknown[] };
  const entry = view.entry(tool);
  if (entry.always !== undefined) return entry.always;
  if (entry.input === undefined) return decideCall(state, view, call);
  // Denials by the history come first, and need no arguments.
  const read = readArguments(decodeTagged(extensions["arguments"]));
  if (read !== undefined && !lacksArguments(entry.input, read))
    return decideCall(state, view, { ...call, ...read });
  const verdict = decideCall(state, view, call);
  return verdict.decision.outcome === "deny" && verdict.decision.layer !== "input"
    ? verdict
    : { cause: "arguments_withheld" };
}

/** Decides a recorded release again. */
export function judgeRecordedRelease(
  plan: Plan | undefined,
  inputs: unknown,
): { readonly release: Release } | { readonly cause: NotReplayable } {
  const { tool, extensions } = readInputs(inputs, "tool.release");
  const roles = readTexts(extensions["roles"]);
  if (roles === undefined) return { cause: "identity_withheld" };
  const { ending } = extensions;
  if (ending === "thrown" || ending === "stream") return { cause: ending };
  if (ending !== "returned") throw new BadInputs("`ending` is unknown");
  const output = decodeTagged(extensions["output"]);
  if (holdsUnwritten(output)) return { cause: "output_withheld" };
  return { release: decideRelease(plan?.view(roles).entry(tool).output, output) };
}

interface ReadInputs {
  readonly tool: string;
  readonly extensions: PlainMapping;
  readonly user: boolean;
}

function readInputs(inputs: unknown, intentType: string): ReadInputs {
  if (!isMapping(inputs)) throw new BadInputs("`inputs` must be a mapping");
  const { capability, extensions, intent_type, principal_id } = inputs;
  if (intent_type !== intentType) throw new BadInputs(`\`intent_type\` must be \`${intentType}\``);
  if (typeof capability !== "string") throw new BadInputs("`capability` must be a tool id");
  if (!isMapping(extensions)) throw new BadInputs("`extensions` must be a mapping");
  return { tool: capability, extensions, user: principal_id !== undefined };
}

function readState(state: unknown): PolicyState {
  if (state === "current" || state === "expired" || state === "unavailable") return state;
  throw new BadInputs("`policy_state` must be `current`, `expired` or `unavailable`");
}

/** `undefined`: one of them was not written down. */
function readTexts(texts: unknown): readonly string[] | undefined {
  if (!isList(texts)) throw new BadInputs("`roles` must be a list");
  return texts.every((text): text is string => typeof text === "string") ? texts : undefined;
}

import {
  type CallVerdict,
  decideCall,
  type ParameterNames,
  type Plan,
  type PolicyState,
  parameterNames,
  type SequenceDenial,
  Session,
  type ToolEntry,
} from "d2-core";
import type { ExplainedCall } from "./explanation.js";

/** A call in a form that is easy to vary and to decide again. */
export interface Situation {
  readonly plan: Plan;
  readonly state: PolicyState;
  readonly tool: string;
  /** `undefined`: no user. */
  readonly roles: readonly string[] | undefined;
  readonly args: readonly unknown[];
  readonly names: ParameterNames | undefined;
  readonly history: readonly string[];
  /** Labels that no call of the history gives. */
  readonly facts: readonly string[];
}

export function situationOf(plan: Plan, call: ExplainedCall, state: PolicyState): Situation {
  const { tool, user, args, params, history = [], facts = [] } = call;
  const names = params === undefined ? undefined : parameterNames(params);
  return {
    plan,
    state,
    tool,
    // The language's section 1: without a non-empty string id there is no user.
    roles: typeof user?.id === "string" && user.id !== "" ? user.roles : undefined,
    args: args === undefined ? [] : isList(args) ? args : positional(args, names),
    names,
    history,
    facts,
  };
}

/** Named arguments in the order of the names; what has none comes after them, as an argument too many. */
function positional(
  args: Readonly<Record<string, unknown>>,
  names: ParameterNames | undefined,
): readonly unknown[] {
  if (names === undefined) return [args];
  const fixed = [...names.positions.keys()].filter((name) => name !== names.rest);
  const own = (name: string) => (Object.hasOwn(args, name) ? args[name] : undefined);
  const rest = names.rest === undefined ? undefined : own(names.rest);
  const beyond = Object.keys(args).filter((key) => !names.positions.has(key));
  const all = [...fixed.map(own), ...(Array.isArray(rest) ? rest : []), ...beyond.map(own)];
  while (all.length > 0 && all.at(-1) === undefined) all.pop();
  return all;
}

function isList(args: object): args is readonly unknown[] {
  return Array.isArray(args);
}

/** The session as the history and the facts leave it. */
export function sessionOf({ plan, history, facts }: Situation): Session {
  const session = new Session();
  session.addFacts(facts);
  const labels = new Map<string, readonly string[]>();
  for (const tool of history) {
    session.end(session.begin(tool, 0), true);
    if (!labels.has(tool)) labels.set(tool, plan.labelsOf(tool));
  }
  for (const given of labels.values()) session.addFacts(given);
  return session;
}

/** The guard's answer. */
export function decide(situation: Situation): CallVerdict {
  const { plan, state, tool, roles, args, names } = situation;
  if (roles === undefined) return decideCall(state, undefined, undefined);
  const session = sessionOf(situation);
  return decideCall(state, plan.view(roles), { tool, session, enclosing: 0, names, args });
}

/** What the roles' rules say of the tool; undefined without a user. */
export function entryOf({ plan, roles, tool }: Situation): ToolEntry | undefined {
  return roles === undefined ? undefined : plan.view(roles).entry(tool);
}

/** What the sequence rules alone say. */
export function sequenceDenial(situation: Situation): SequenceDenial | undefined {
  const entry = entryOf(situation);
  if (entry?.space === undefined) return undefined;
  const session = sessionOf(situation);
  return session.tracker(entry.space).denial(session, situation.tool, entry.toolClass, 0);
}

/** Whether the layers before the arguments let the user call the tool next. */
export function mayBegin(situation: Situation): boolean {
  const entry = entryOf(situation);
  if (entry === undefined || entry.denial !== undefined) return false;
  const session = sessionOf(situation);
  if (entry.blocks.some(({ label }) => session.facts.has(label))) return false;
  if (entry.space === undefined) return true;
  return session.tracker(entry.space).denial(session, situation.tool, entry.toolClass, 0) === undefined;
}

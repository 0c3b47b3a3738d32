import {
  type CallVerdict,
  decideCall,
  type ParameterNames,
  type Plan,
  type PolicyState,
  parameterNames,
  Session,
  type ToolEntry,
} from "d2-core";
import type { ExplainedCall } from "./explanation.js";

/** A call in a form that is easy to vary and to decide again. */
export interface Situation {
  readonly plan: Plan;
  readonly state: PolicyState;
  readonly tool: string;
  readonly roles: readonly string[] | undefined;
  readonly args: readonly unknown[];
  readonly names: ParameterNames | undefined;
  readonly history: readonly string[];
  /** Labels that no call of the history gives. */
  readonly facts: readonly string[];
}

export function situationOf(plan: Plan, call: ExplainedCall, state: PolicyState): Situation {
  const { tool, user, args, params, history = [], facts = [] } = call;
  return {
    plan,
    state,
    tool,
    roles: user?.roles,
    args: args === undefined ? [] : isList(args) ? args : [args],
    names: params === undefined ? undefined : parameterNames(params),
    history,
    facts,
  };
}

function isList(args: object): args is readonly unknown[] {
  return Array.isArray(args);
}

/** The session as the history and the facts leave it. */
export function sessionOf({ plan, history, facts }: Situation): Session {
  const session = new Session();
  session.addFacts(facts);
  for (const tool of history) {
    session.end(session.begin(tool, 0), true);
    session.addFacts(plan.labelsOf(tool));
  }
  return session;
}

/** The guard's answer. */
export function decide(situation: Situation): CallVerdict {
  const { plan, state, tool, roles, args, names } = situation;
  if (roles === undefined) return decideCall(state, undefined, undefined);
  const session = sessionOf(situation);
  return decideCall(state, plan.view(roles), { tool, session, enclosing: 0, names, args });
}

export function isAllowed(situation: Situation): boolean {
  return decide(situation).decision.outcome === "allow";
}

/** What the roles' rules say of the tool; undefined without a user. */
export function entryOf({ plan, roles, tool }: Situation): ToolEntry | undefined {
  return roles === undefined ? undefined : plan.view(roles).entry(tool);
}

/** What the sequence rules alone say. */
export function sequenceDenial(situation: Situation, tool: string = situation.tool) {
  const { plan, roles } = situation;
  const entry = roles === undefined ? undefined : plan.view(roles).entry(tool);
  if (entry?.space === undefined) return undefined;
  const session = sessionOf(situation);
  return session.tracker(entry.space).denial(session, tool, entry.toolClass, 0);
}

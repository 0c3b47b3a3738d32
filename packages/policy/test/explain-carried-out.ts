import { compilePlan, decideCall, type Plan, parameterNames, Session } from "d2-core";
import type { ExplainedCall, ProposedChange } from "../src/explain.js";
import type { LoadedPolicy } from "../src/load-policy.js";

const plans = new WeakMap<LoadedPolicy, Plan>();

/** Compiled once for each policy, which is what takes time. */
function planOf(policy: LoadedPolicy): Plan {
  const plan = plans.get(policy) ?? compilePlan(policy.document);
  plans.set(policy, plan);
  return plan;
}

/** The core's own answer, put together without the explanation's code. */
export function outcome(policy: LoadedPolicy, call: ExplainedCall): string {
  const plan = planOf(policy);
  if (call.user === undefined || call.user.id === "")
    return decideCall("current", undefined, undefined).decision.reason;
  const session = new Session();
  session.addFacts(call.facts ?? []);
  for (const tool of call.history ?? []) {
    session.end(session.begin(tool, 0), true);
    session.addFacts(plan.labelsOf(tool));
  }
  const { args } = call;
  return decideCall("current", plan.view(call.user.roles), {
    tool: call.tool,
    session,
    enclosing: 0,
    names: call.params === undefined ? undefined : parameterNames(call.params),
    args: args === undefined ? [] : Array.isArray(args) ? args : [args],
  }).decision.reason;
}

type Args = Record<string, unknown>;

/** Carries a change out on a call, one step after the other. */
export function changed(policy: LoadedPolicy, call: ExplainedCall, { steps }: ProposedChange): ExplainedCall {
  const plan = planOf(policy);
  let { user, args = {}, history = [], facts = [] } = call;
  const editArgument = (path: string, value: unknown) => {
    const { params } = call;
    if (!Array.isArray(args))
      args = edited(args, path, value) as Args; // a mapping is edited into a mapping
    else if (params !== undefined) {
      const given: readonly unknown[] = args;
      const named = Object.fromEntries(params.map((name, at) => [name, given[at]]));
      const after = edited(named, path, value) as Args; // a mapping, as above
      args = [...params.map((name) => after[name]), ...given.slice(params.length)];
    } else args = [edited(args[0], path, value)];
  };
  for (const step of steps) {
    if (step.kind === "role" && user !== undefined) user = { ...user, roles: [...user.roles, ...step.roles] };
    else if (step.kind === "role_without" && user !== undefined)
      user = { ...user, roles: user.roles.filter((role) => !step.roles.includes(role)) };
    else if (step.kind === "argument") editArgument(step.path, step.value);
    else if (step.kind === "argument_left_out") editArgument(step.path, undefined);
    else if (step.kind === "arguments" && Array.isArray(args)) args = args.slice(0, call.params?.length);
    else if (step.kind === "history_without") history = history.filter((_, at) => !step.calls.includes(at));
    else if (step.kind === "call_before")
      history = [...history.slice(0, step.at), step.tool, ...history.slice(step.at)];
    else if (step.kind === "facts_without") {
      facts = facts.filter((fact) => !step.labels.includes(fact));
      history = history.filter((tool) => !plan.labelsOf(tool).some((label) => step.labels.includes(label)));
    } else throw new Error(`no way to carry out ${step.kind}`);
  }
  return { ...call, user, args, history, facts };
}

/** `undefined` leaves it out, which is the same to the rules. */
function edited(holder: unknown, path: string, value: unknown): unknown {
  if (Array.isArray(holder)) return holder.map((item) => edited(item, path, value));
  const inner = typeof holder === "object" && holder !== null ? Object.entries(holder) : [];
  let reached = false;
  const entries = inner.map(([key, old]): [string, unknown] => {
    if (old === undefined) return [key, old];
    if (key === path) {
      reached = true;
      return [key, value];
    }
    if (!path.startsWith(`${key}.`)) return [key, old];
    reached = true;
    const scalar = typeof old !== "object" || old === null;
    return [key, scalar && value === undefined ? undefined : edited(old, path.slice(key.length + 1), value)];
  });
  if (!reached && value !== undefined) {
    const [first = "", ...rest] = path.split(".");
    entries.push([first, rest.length === 0 ? value : edited(undefined, rest.join("."), value)]);
  }
  return Object.fromEntries(entries);
}

import {
  ALLOW,
  type CallVerdict,
  type Decision,
  decideCall,
  decideRelease,
  decideThrown,
  deny,
  type OutputPlan,
  type PolicyState,
} from "d2-core/call";
import { isPromise, whenSettled } from "../context/promise.js";
import {
  type ActingUser,
  actingUser,
  callIn,
  enclosingCall,
  liveScope,
  Scope,
  scopes,
} from "../context/scope.js";
import type { Ending, Ticket } from "../log/recorder.js";
import type { Enforcer } from "../setup/registry.js";
import { isInnerRefusal, refusalError, vouchFor } from "./refuse.js";
import { guardItems, isStream } from "./stream.js";
import type { Tool } from "./tool.js";

/** A function as the guard sees it. */
export type ToolFunction = (this: unknown, ...args: never[]) => unknown;

/** A call that was allowed and is running. */
interface Running {
  readonly tool: Tool;
  readonly verdict: CallVerdict;
  readonly user: ActingUser;
  readonly body: Scope;
  readonly ticket: Ticket | undefined;
}

const EVALUATION_ERROR: CallVerdict = {
  decision: deny("evaluation_error", "none"),
  args: undefined,
  entry: undefined,
};

/**
 * One guarded call, the only path there is: decide, record, run, judge what came back, record. The steps are those of
 * the architecture page.
 */
export function invoke(tool: Tool, fn: ToolFunction, self: unknown, args: readonly unknown[]): unknown {
  const current = scopes.getStore();
  const user = actingUser(current);
  const recorder = tool.slot.enforcer?.recorder;
  const context = recorder?.context;
  const verdict = judge(tool, user, current, args);
  let ticket: Ticket | undefined;
  if (recorder !== undefined && context !== undefined) {
    const answer = recorder.decided(context, tool, user, current, verdict, args);
    if ("outcome" in answer) return refuse(tool, user, current, answer);
    ticket = answer;
  }
  if (user === undefined || verdict.entry === undefined || verdict.decision.outcome === "deny") {
    return refuse(tool, user, current, verdict.decision);
  }
  // INVARIANT: nothing runs between the decision and this record, so calls made side by side see each other.
  const call = user.session.begin(tool.id, enclosingCall(current));
  if (verdict.entry.labels.length > 0) user.session.addFacts(verdict.entry.labels);
  const body = new Scope(current?.ended === true ? liveScope(current) : current, user, call);
  body.ticket = ticket;
  if (ticket?.refusal !== undefined) {
    // The log has the call, so the session must have it too: as one that failed.
    finish({ tool, verdict, user, body, ticket }, false, { success: false });
    return refuse(tool, user, current, ticket.refusal);
  }
  let value: unknown;
  try {
    value = callIn(body, current, fn, self, verdict.args ?? args);
  } catch (thrown) {
    return failed({ tool, verdict, user, body, ticket }, thrown);
  }
  // What an `async function` gives is a promise of the language's own, and nobody has had it in hands yet.
  if (tool.kind === "async")
    return afterPromise({ tool, verdict, user, body, ticket }, value as Promise<unknown>);
  if (isPromise(value)) return later({ tool, verdict, user, body, ticket }, value);
  if (ticket === undefined && verdict.entry.output === undefined && !isGenerator(tool)) {
    // The common end, without an object made for it.
    body.end();
    user.session.end(body.call, true);
    return value;
  }
  return returned({ tool, verdict, user, body, ticket }, value);
}

/** The decision alone, with nothing recorded. */
export function judge(
  tool: Tool,
  user: ActingUser | undefined,
  scope: Scope | undefined,
  args: readonly unknown[],
): CallVerdict {
  try {
    return decide(tool, user, scope, args);
  } catch {
    // INVARIANT: an error while deciding never allows, be it the clock's that the user gave.
    return EVALUATION_ERROR;
  }
}

function decide(
  tool: Tool,
  user: ActingUser | undefined,
  scope: Scope | undefined,
  args: readonly unknown[],
): CallVerdict {
  const { enforcer } = tool.slot;
  const state = stateOf(enforcer);
  const plan = enforcer?.plan;
  if (user === undefined || plan === undefined || state !== "current") {
    return decideCall(state, undefined, undefined);
  }
  if (user.plan !== plan) {
    user.plan = plan;
    user.view = plan.view(user.roles);
  }
  // Most tools have rules that neither the session nor the arguments change: then there is nothing to put together.
  const always = user.view?.entry(tool.id, tool.number).always;
  if (always !== undefined) return always;
  return decideCall(state, user.view, {
    tool: tool.id,
    slot: tool.number,
    session: user.session,
    enclosing: enclosingCall(scope),
    names: tool.names,
    args,
  });
}

function stateOf(enforcer: Enforcer | undefined): PolicyState {
  const plan = enforcer?.plan;
  if (enforcer === undefined || plan === undefined) return "unavailable";
  // The clock is read only when the plan can expire.
  // INVARIANT: a clock that tells no time does not keep a policy alive.
  if (plan.expiresAt !== undefined && !(enforcer.clock() < plan.expiresAt)) return "expired";
  return "current";
}

function afterPromise(running: Running, promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => returned(running, value),
    (reason) => failed(running, reason),
  );
}

/** The function gave something to wait for: its call is not over yet. */
function later(running: Running, value: PromiseLike<unknown>): Promise<unknown> {
  return whenSettled(
    running.body,
    value,
    (settled) => returned(running, settled),
    (reason) => failed(running, reason),
  );
}

function returned(running: Running, value: unknown): unknown {
  const { tool, verdict, user, body, ticket } = running;
  const output = verdict.entry?.output;
  try {
    if (yieldsItems(tool, output, value)) return itemByItem(running, output, value);
  } catch (thrown) {
    // Nothing but code of the value's own throws here.
    return failed(running, thrown);
  }
  if (output === undefined) {
    const unrecorded = finish(running, true, ticket && { success: true, output: value });
    return unrecorded === undefined ? value : refuse(tool, user, body.outer, unrecorded);
  }
  ticket?.returned?.();
  const release = decideRelease(output, value);
  const released = release.decision.outcome === "allow";
  const ending = ticket && {
    success: true,
    output: value,
    release: { ...release, ending: "returned" as const },
  };
  const unrecorded = finish(running, released, ending);
  if (unrecorded !== undefined) return refuse(tool, user, body.outer, unrecorded);
  return released ? release.value : refuse(tool, user, body.outer, release.decision);
}

function itemByItem(running: Running, output: OutputPlan | undefined, value: unknown): unknown {
  const { tool, user, body } = running;
  return guardItems(value, {
    output,
    body,
    end: (ended) => {
      const decision = ended.denial ?? (ended.failed || output === undefined ? undefined : ALLOW);
      const release =
        decision === undefined
          ? undefined
          : {
              decision,
              value,
              transforms: [],
              ending: ended.failed ? ("thrown" as const) : ("stream" as const),
            };
      finish(running, !ended.failed && ended.denial === undefined, {
        success: !ended.failed,
        output: value,
        release,
      });
    },
    refuse: (decision) => refuse(tool, user, body.outer, decision),
  });
}

/** Whether what came back is to be judged item by item, or, where there is nothing to judge, kept in its context. */
function yieldsItems(tool: Tool, output: OutputPlan | undefined, value: unknown): boolean {
  if (isGenerator(tool)) return output === undefined || tool.eachItem;
  return tool.eachItem && output !== undefined && isStream(value);
}

function isGenerator({ kind }: Tool): boolean {
  return kind === "generator" || kind === "asyncGenerator";
}

function failed(running: Running, thrown: unknown): unknown {
  const { tool, user, body, verdict } = running;
  const inner = isInnerRefusal(body, thrown);
  // Users set inside the body end before anything is decided about what it threw.
  body.end();
  const denial = inner ? undefined : decideThrown(verdict.entry?.output, thrown);
  const release =
    denial === undefined
      ? undefined
      : { decision: denial, value: undefined, transforms: [], ending: "thrown" as const };
  const unrecorded = finish(running, false, { success: false, thrown, release });
  if (unrecorded !== undefined) return refuse(tool, user, body.outer, unrecorded);
  if (denial !== undefined) return refuse(tool, user, body.outer, denial);
  throw thrown;
}

/**
 * Ends a call: users set inside the body first, then the record, then its place in the session. Answers with a denial where the
 * call must not be answered because its end could not be recorded.
 */
function finish(
  { user, body, ticket }: Running,
  released: boolean,
  ending: Ending | undefined,
): Decision | undefined {
  if (body.over) return undefined;
  body.over = true;
  body.end();
  const unrecorded = ending === undefined ? undefined : ticket?.recorder.ended(ticket, ending);
  user.session.end(body.call, released && unrecorded === undefined);
  return unrecorded;
}

/** What a refused call gives: an exception, a rejection, or what `onDeny` says. */
export function refuse(
  tool: Tool,
  user: ActingUser | undefined,
  scope: Scope | undefined,
  decision: Decision,
): unknown {
  if (tool.handled && typeof tool.onDeny !== "function") {
    return tool.rejects ? Promise.resolve(tool.onDeny) : tool.onDeny;
  }
  const error = refusalError(tool.id, user, decision);
  vouchFor(error, scope);
  if (typeof tool.onDeny === "function" && tool.handled) {
    const handler = tool.onDeny;
    if (!tool.rejects) return Reflect.apply(handler, undefined, [error]);
    return new Promise((resolve) => resolve(Reflect.apply(handler, undefined, [error])));
  }
  if (tool.rejects) return Promise.reject(error);
  throw error;
}

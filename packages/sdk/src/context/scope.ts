import { AsyncLocalStorage } from "node:async_hooks";
import type { Plan, RoleView, Session } from "d2-core/call";
import type { SessionTrace } from "../telemetry/session-trace.js";

/** A user with the session that acts for them. */
export interface ActingUser {
  readonly userId: string;
  readonly roles: readonly string[];
  readonly session: Session;
  /** The decision log that knows the session already. */
  log: object | undefined;
  /** What telemetry remembers of the session. */
  trace: SessionTrace | undefined;
  /** The merged rules of the user's roles under the plan that was asked last. */
  plan: Plan | undefined;
  view: RoleView | undefined;
}

/**
 * One level of the current async flow: a user's block, the body of a guarded call, a handler, or a flow from which the
 * user was taken away. Levels point outwards, and look-up walks along them.
 */
export class Scope {
  outer: Scope | undefined;
  /** The user as of this level; undefined: look further out; null: none, whatever is further out. */
  readonly user: ActingUser | null | undefined;
  /** Id of the guarded call whose body this is; 0: not a body. */
  readonly call: number;
  /** Whether the block or the call is over. Flows that it started may still hold it. */
  ended = false;
  /** Whether the call whose body this is has been ended in its session. */
  over = false;
  /** How many levels deep `setUser` has been called without an end between; 0: a level with an end of its own. */
  depth: number;
  /** Whether the code that made this level is still in the synchronous run in which it did. */
  fresh = false;
  /** Users set inside this level, which end with it. */
  begun: ActingUser[] | undefined = undefined;
  /** Refusals of guarded calls made inside this body, each with what it was made of: proof that it comes from a guard. */
  refusals: WeakMap<object, readonly unknown[]> | undefined = undefined;
  /** The record of the call whose body this is. */
  ticket: { readonly correlationId: string | undefined } | undefined = undefined;

  constructor(outer: Scope | undefined, user: ActingUser | null | undefined, call: number, depth = 0) {
    this.outer = outer;
    this.user = user;
    this.call = call;
    this.depth = depth;
  }

  /** Has a user set inside this level end with it. */
  begin(user: ActingUser): void {
    this.begun ??= [];
    // A loop that sets a user each round would otherwise make this grow as long as the level lasts.
    if (this.begun.length % 64 === 63) this.begun = this.begun.filter((it) => it.session.open);
    this.begun.push(user);
  }

  /** Ends the level: the users set inside it, innermost first. */
  end(): void {
    this.ended = true;
    if (this.begun === undefined) return;
    for (let at = this.begun.length - 1; at >= 0; at -= 1) this.begun[at]?.session.close();
    this.begun = undefined;
  }
}

/** The one store of the library. */
export const scopes: AsyncLocalStorage<Scope | undefined> = new AsyncLocalStorage();

/**
 * Calls a function in a level, with `current` around it. By setting the store and setting it back, which takes half as
 * long as the store's own `run`.
 *
 * @param current what the store holds now
 */
export function callIn(
  scope: Scope,
  current: Scope | undefined,
  fn: (this: unknown, ...args: never[]) => unknown,
  self: unknown,
  args: readonly unknown[],
): unknown {
  scopes.enterWith(scope);
  try {
    // Whether the arguments fit is between the caller and the function.
    return Reflect.apply(fn, self, args as never[]);
  } finally {
    scopes.enterWith(current);
  }
}

/** The user that a call made now acts for: the innermost one whose session is alive. */
export function actingUser(scope: Scope | undefined): ActingUser | undefined {
  for (let at = scope; at !== undefined; at = at.outer) {
    if (at.user === null) return undefined;
    if (at.user?.session.open === true) return at.user;
  }
  return undefined;
}

/**
 * The session that a new one begins inside of: the innermost that is alive, also where the user was taken away in
 * between. Taking the user away first must not let a history begin anew.
 */
export function enclosingSession(scope: Scope | undefined): Session | undefined {
  for (let at = scope; at !== undefined; at = at.outer)
    if (at.user?.session.open === true) return at.user.session;
  return undefined;
}

/** Id of the innermost guarded call that is still running around this code; 0: none. */
export function enclosingCall(scope: Scope | undefined): number {
  for (let at = scope; at !== undefined; at = at.outer) if (at.call !== 0 && !at.ended) return at.call;
  return 0;
}

/** The record of the innermost guarded call that is still running around this code. */
export function ticketOf(scope: Scope | undefined): Scope["ticket"] {
  for (let at = scope; at !== undefined; at = at.outer) if (at.call !== 0 && !at.ended) return at.ticket;
  return undefined;
}

/** The innermost level that is not over, so that chains of flows begun by one another do not grow for ever. */
export function liveScope(scope: Scope | undefined): Scope | undefined {
  let at = scope;
  while (at !== undefined && isOver(at)) at = at.outer;
  return at;
}

function isOver(scope: Scope): boolean {
  if (scope.ended) return true;
  return scope.call === 0 && scope.user != null && !scope.user.session.open;
}

/** The innermost level with an end of its own: a block, a handler or the body of a guarded call. */
export function boundedScope(scope: Scope | undefined): Scope | undefined {
  let at = scope;
  while (at !== undefined && (at.ended || at.depth > 0)) at = at.outer;
  return at;
}

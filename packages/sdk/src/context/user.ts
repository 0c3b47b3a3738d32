import { Session } from "d2-core/call";
import { nodeCrypto } from "../setup/node-crypto.js";
import { isPromise, whenSettled } from "./promise.js";
import {
  type ActingUser,
  actingUser,
  boundedScope,
  enclosingSession,
  liveScope,
  Scope,
  scopes,
} from "./scope.js";

/** What may be said of a user besides the id. */
export interface UserOptions {
  /** Role names, as the policy spells them. Default: none, which is allowed nothing. */
  readonly roles?: readonly string[];
}

/** The current request as `getUserContext` shows it; every field is undefined when there is no user. */
export interface UserContext {
  readonly userId: string | undefined;
  readonly roles: readonly string[] | undefined;
  /** Random, new with every user; callers cannot choose it. */
  readonly requestId: string | undefined;
  /** Tool ids of the allowed calls of this session, oldest first. */
  readonly callHistory: readonly string[] | undefined;
  /** Labels of the data that the session has touched. */
  readonly facts: readonly string[] | undefined;
}

/** How many users deep one flow may go by `setUser` alone before the outermost is ended. */
const MAX_DEPTH = 16;

/**
 * Sets the user for the rest of this async flow and begins an empty session. Before an async function's first `await`
 * that includes its caller; at boundaries use `runAs`, `clearContext` or the middleware. Inside another session (after
 * an `await`, in a guarded tool, in a block) the outer one stands, and what is done here counts in it too.
 *
 * @throws TypeError when the id is not a non-empty string or the roles are not a list of strings; there is no user then
 */
export function setUser(userId: string, options: UserOptions = {}): void {
  const current = scopes.getStore();
  // Two users set in one synchronous run are one after the other, not one inside the other.
  const outer = liveScope(current?.fresh === true ? current.outer : current);
  const checked = checkUser(userId, options);
  if (checked instanceof TypeError) {
    scopes.enterWith(new Scope(outer, null, 0, 1));
    throw checked;
  }
  const user = actingAs(checked, new Session(enclosingSession(outer), true));
  const depth = (outer?.depth ?? 0) + 1;
  const scope = new Scope(outer, user, 0, depth);
  if (depth > MAX_DEPTH) endOutermost(scope);
  boundedScope(outer)?.begin(user);
  markFresh(scope);
  scopes.enterWith(scope);
}

/** Sets the user like `setUser`, until the answer is disposed: `using _ = setUserContext(...)`. */
export function setUserContext(userId: string, options: UserOptions = {}): Disposable {
  const outer = liveScope(scopes.getStore());
  const checked = checkUser(userId, options);
  if (checked instanceof TypeError) {
    scopes.enterWith(new Scope(outer, null, 0, 1));
    throw checked;
  }
  const user = actingAs(checked, new Session(enclosingSession(outer)));
  const scope = new Scope(outer, user, 0);
  boundedScope(outer)?.begin(user);
  scopes.enterWith(scope);
  return {
    [Symbol.dispose]() {
      scope.end();
      user.session.close();
      if (scopes.getStore() === scope) scopes.enterWith(outer);
    },
  };
}

/**
 * Runs `block` for a user, in a session of its own that ends with it: when it returns or throws, or, if it gives a
 * promise, when that settles.
 *
 * @returns what `block` returns
 * @throws TypeError as `setUser`; `block` does not run then
 */
export function runAs<T>(userId: string, options: UserOptions, block: () => T): T {
  const checked = checkUser(userId, options);
  if (checked instanceof TypeError) throw checked;
  const outer = liveScope(scopes.getStore());
  const user = actingAs(checked, new Session(enclosingSession(outer)));
  return runBounded(new Scope(outer, user, 0), block);
}

/** Wraps a handler so that every user it sets ends with it: on return, throw or rejection. Works as a method decorator. */
export function clearContext<A extends readonly unknown[], R>(handler: (...args: A) => R): (...args: A) => R;
export function clearContext<This, A extends readonly unknown[], R>(
  handler: (this: This, ...args: A) => R,
  context: ClassMethodDecoratorContext<This, (this: This, ...args: A) => R>,
): (this: This, ...args: A) => R;
export function clearContext(
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor,
): PropertyDescriptor;
export function clearContext(target: unknown, _context?: unknown, descriptor?: PropertyDescriptor): unknown {
  if (descriptor !== undefined) return { ...descriptor, value: bounded(descriptor.value) };
  return bounded(target);
}

/** The same as `clearContext`, for those who look for it under this name. */
export const clearContextAsync: typeof clearContext = clearContext;

/** Ends the current user's session. It is dead for all who still hold it; look-up falls to the enclosing live one. */
export function clearUserContext(): void {
  const current = scopes.getStore();
  const user = actingUser(current);
  if (user === undefined) return;
  if (isOfEnclosingBody(current, user)) {
    // A guarded tool cannot end the session that it was called in: it takes the user from its own body only.
    scopes.enterWith(new Scope(liveScope(current), null, 0, 1));
    return;
  }
  user.session.close();
}

/** Whether there is a user. */
export function isContextSet(): boolean {
  return actingUser(scopes.getStore()) !== undefined;
}

/** The current user and session. */
export function getUserContext(): UserContext {
  const user = actingUser(scopes.getStore());
  if (user === undefined) {
    return {
      userId: undefined,
      roles: undefined,
      requestId: undefined,
      callHistory: undefined,
      facts: undefined,
    };
  }
  user.session.id ??= nodeCrypto().randomUUID();
  return {
    userId: user.userId,
    roles: user.roles,
    requestId: user.session.id,
    callHistory: user.session.history,
    facts: [...user.session.facts],
  };
}

/** Runs `block` in a level that ends with it. For middleware: `scope` may hold a user or, with null, none. */
export function runBounded<T>(scope: Scope, block: () => T): T {
  const finish = (): void => {
    scope.end();
    scope.user?.session.close();
  };
  let result: T;
  try {
    result = scopes.run(scope, block);
  } catch (error) {
    finish();
    throw error;
  }
  if (!isPromise(result)) {
    finish();
    return result;
  }
  const settled = whenSettled(
    scope,
    result,
    (value) => {
      finish();
      return value;
    },
    (error) => {
      finish();
      throw error;
    },
  );
  // `T` is a promise type here, and this is that promise with an end attached.
  return settled as T;
}

/** A level for a user that begins now inside what is current. */
export function userScope(
  userId: string,
  options: { readonly roles?: readonly string[] | undefined },
): Scope {
  const checked = checkUser(userId, options);
  if (checked instanceof TypeError) throw checked;
  const outer = liveScope(scopes.getStore());
  return new Scope(outer, actingAs(checked, new Session(enclosingSession(outer))), 0);
}

/** Ends the outermost of a row of users set one inside the other, so that a loop cannot make the row grow for ever. */
function endOutermost(scope: Scope): void {
  let inner = scope;
  for (let at = scope.outer; at !== undefined && at.depth > 0; at = at.outer) {
    at.depth -= 1;
    if (at.depth > 0) {
      inner = at;
      continue;
    }
    at.user?.session.close();
    inner.outer = at.outer;
  }
  scope.depth = MAX_DEPTH;
}

function markFresh(scope: Scope): void {
  scope.fresh = true;
  const fade = (): void => {
    scope.fresh = false;
  };
  // Both queues: whatever this run may already have put into either comes after the one that runs next.
  process.nextTick(fade);
  queueMicrotask(fade);
}

/** Whether the user was set outside the innermost running body of a guarded call. */
function isOfEnclosingBody(scope: Scope | undefined, user: ActingUser): boolean {
  for (let at = scope; at !== undefined; at = at.outer) {
    if (at.call !== 0) {
      if (!at.ended) return true;
    } else if (at.user === user) return false;
  }
  return false;
}

interface CheckedUser {
  readonly userId: string;
  readonly roles: readonly string[];
}

function checkUser(userId: unknown, options: unknown): CheckedUser | TypeError {
  if (typeof userId !== "string" || userId === "") {
    return new TypeError(
      "`userId` must be a non-empty string: give the id of the user that the calls act for",
    );
  }
  const roles =
    typeof options === "object" && options !== null ? readRoles(options) : options === undefined ? [] : null;
  const list: unknown = roles === undefined ? [] : roles;
  if (!Array.isArray(list)) {
    return new TypeError('`roles` must be a list of strings: write `{ roles: ["analyst"] }`');
  }
  const copy = Array.from(list as readonly unknown[]);
  if (!copy.every((role): role is string => typeof role === "string")) {
    return new TypeError("`roles` must hold strings only");
  }
  return { userId, roles: Object.freeze(copy) };
}

/** The roles that the options have, of their own or of their class; what `Object.prototype` was given grants nobody. */
function readRoles(options: object): unknown {
  if (!Object.hasOwn(options, "roles") && Object.hasOwn(Object.prototype, "roles")) return undefined;
  return Reflect.get(options, "roles");
}

function actingAs({ userId, roles }: CheckedUser, session: Session): ActingUser {
  return { userId, roles, session, log: undefined, trace: undefined, plan: undefined, view: undefined };
}

function bounded(handler: unknown): (this: unknown, ...args: unknown[]) => unknown {
  if (typeof handler !== "function") {
    throw new TypeError("`clearContext` takes a function, or stands before a method");
  }
  const wrapped = function (this: unknown, ...args: unknown[]): unknown {
    const outer = liveScope(scopes.getStore());
    return runBounded(new Scope(outer, undefined, 0), () => Reflect.apply(handler, this, args));
  };
  Object.defineProperty(wrapped, "name", { value: handler.name, configurable: true });
  Object.defineProperty(wrapped, "length", { value: handler.length, configurable: true });
  return wrapped;
}

import { type Scope, scopes } from "./scope.js";

/**
 * Whether the value is to be waited for: it has a `then` method. One whose `then` cannot even be read counts as well;
 * waiting for it fails with what the reading threw.
 */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  try {
    return value instanceof Promise || typeof Reflect.get(value, "then") === "function";
  } catch {
    return true; // what it threw comes again, or something else, when the value is waited for
  }
}

/**
 * Calls one of two functions when a value that is to be waited for has settled, and promises what that gives.
 *
 * INVARIANT: whatever the value's `then` does (throw, call back at once, twice or never, answer with something else),
 * at most one of the two is called, once, and nothing that it gives gets past them.
 *
 * @param scope the level that the value came from; a `then` that does the work when it is called does it there
 */
export function whenSettled<T>(
  scope: Scope,
  value: PromiseLike<unknown>,
  onValue: (value: unknown) => T,
  onError: (error: unknown) => T,
): Promise<T> {
  try {
    // It promises what the two functions give.
    if (isUntouched(value)) return Reflect.apply(then, value, [onValue, onError]) as Promise<T>;
  } catch {
    // It only looks like a promise: it is waited for like anything else with a `then`, and fails like that.
  }
  return scopes.run(scope, () => new Promise((resolve) => resolve(value))).then(onValue, onError);
}

/** The language's own, which refuses what is no promise, proxies included. */
const { then } = Promise.prototype;

/** Whether a promise, if it is one, has none of its parts replaced. */
function isUntouched(value: object): boolean {
  return (
    Object.getPrototypeOf(value) === Promise.prototype &&
    !Object.hasOwn(value, "then") &&
    !Object.hasOwn(value, "constructor")
  );
}

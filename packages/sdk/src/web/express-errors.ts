import type { ProblemResponse } from "./problem.js";

/** Express's middleware for errors, which it knows by its four parameters. What it returns is waited for. */
export type ErrorMiddleware = (
  error: unknown,
  request: object,
  response: ProblemResponse,
  next: (error: unknown) => unknown,
) => unknown;

/** One entry of a router: a middleware, or a route with middleware of its own. */
interface Layer {
  handle: unknown;
  readonly route?: unknown;
}

/** Tells the middleware that was put at the end of an application from the application's own. */
const ANSWER = Symbol("d2.answer");

/**
 * Gives a function that makes `answer` the first to see the errors of an express application: it comes at the end of
 * the application, and in front of every error middleware in it. Entries of routers are replaced in place, so requests
 * that are under way do not notice. Doing it again costs a look at the number of entries of the application, and finds
 * what was added to it meanwhile.
 */
export function answerFirst(answer: ErrorMiddleware): (app: unknown) => void {
  const lengths = new WeakMap<object, number>();
  const seen = new WeakSet<object>([answer]);
  Object.defineProperty(answer, ANSWER, { value: true });

  const precede = (layer: Layer, own: object): void => {
    const both: ErrorMiddleware = (error, request, response, next) =>
      answer(error, request, response, (unanswered) => call(own, [unanswered, request, response, next]));
    Object.defineProperty(both, "name", { value: Reflect.get(own, "name"), configurable: true });
    seen.add(both);
    layer.handle = both;
  };

  const visit = (stack: readonly Layer[]): void => {
    for (const layer of stack) {
      const { handle, route } = layer;
      if (typeof handle !== "function" || seen.has(handle) || ANSWER in handle) continue;
      if (handle.length === 4) precede(layer, handle);
      else {
        seen.add(handle);
        visit(stackOf(handle) ?? stackOf(route) ?? []);
      }
    }
  };

  return (app) => {
    if (typeof app !== "function") return;
    const stack = stackOf(Reflect.get(app, "router"));
    if (stack === undefined || stack.length === lengths.get(app)) return;
    const end = stack.findLastIndex(({ handle }) => typeof handle !== "function" || !(ANSWER in handle)) + 1;
    if (!stack.slice(end).some(({ handle }) => handle === answer)) {
      call(Reflect.get(app, "use"), [answer], app);
    }
    visit(stack);
    lengths.set(app, stack.length);
  };
}

/** The entries of a router or a route. */
function stackOf(router: unknown): readonly Layer[] | undefined {
  if ((typeof router !== "function" && typeof router !== "object") || router === null) return undefined;
  const stack: unknown = Reflect.get(router, "stack");
  // Express's own lists: an entry is an object with its middleware in `handle`.
  return Array.isArray(stack) ? (stack as readonly Layer[]) : undefined;
}

function call(fn: unknown, args: readonly unknown[], self?: unknown): unknown {
  if (typeof fn !== "function") throw new TypeError("`d2Express` needs the application of express 5");
  return Reflect.apply(fn, self, args);
}

import { ConfigurationError } from "d2-core/call";
import { invoke, type ToolFunction } from "./invoke.js";
import { type GuardOptions, readGuardOptions } from "./options.js";
import { bindTool, kindOf } from "./tool.js";
import type {
  AnyFunction,
  GuardedWith,
  Guarding,
  GuardingWith,
  HandledOptions,
  HandlerOptions,
} from "./types.js";
import { guardWorker } from "./worker.js";

/** `d2Guard`, in all its forms. */
export interface D2Guard {
  /** Guards a function whose name is the tool id. */
  <F extends AnyFunction>(fn: F): F;
  /** Guards a function. */
  <F extends AnyFunction>(toolId: string, fn: F): F;
  /** Guards a function; a refused call gives what `onDeny` says. */
  <F extends AnyFunction, R>(toolId: string, options: HandlerOptions<R>, fn: F): GuardedWith<F, R>;
  <F extends AnyFunction, const D>(toolId: string, options: HandledOptions<D>, fn: F): GuardedWith<F, D>;
  <F extends AnyFunction>(toolId: string, options: GuardOptions, fn: F): F;
  /** Gives a decorator, which also wraps plain functions. */
  (toolId: string): Guarding;
  <R>(toolId: string, options: HandlerOptions<R>): GuardingWith<R>;
  <const D>(toolId: string, options: HandledOptions<D>): GuardingWith<D>;
  (toolId: string, options: GuardOptions): Guarding;
  /** Guards a function that runs in a worker thread. */
  readonly worker: typeof guardWorker;
}

/** The property under which a guarded function carries its tool id. */
export const TOOL_ID: unique symbol = Symbol.for("d2.toolId");

/**
 * Puts the policy in front of a function. Before each call the policy decides from the user, the session and the
 * arguments whether it may run, and afterwards what of its result may leave.
 *
 * The guarded function keeps its types, `name`, `length` and `this`. A synchronous function stays synchronous; an
 * `async function` always answers with a promise, refusals included.
 *
 * @throws ConfigurationError when it is put together wrongly: a bad tool id, an unknown option, no function
 */
export const d2Guard: D2Guard = Object.assign(guard as Omit<D2Guard, "worker"> as D2Guard, {
  worker: guardWorker,
});

/** Without a prototype, so that it stays empty whatever `Object.prototype` is given. */
const NO_OPTIONS: GuardOptions = Object.freeze(Object.create(null));

function guard(first: unknown, second?: unknown, third?: unknown): unknown {
  if (typeof first === "function") {
    if (first.name === "") {
      throw new ConfigurationError(
        '`d2Guard`: the function has no name to take as tool id; write `d2Guard("tool-id", fn)`',
      );
    }
    return wrap(first.name, NO_OPTIONS, first);
  }
  if (typeof first !== "string") {
    throw new ConfigurationError("`d2Guard` takes a tool id, or a named function");
  }
  if (typeof second === "function") {
    if (third === undefined) return wrap(first, NO_OPTIONS, second);
    throw new ConfigurationError(`guard of \`${first}\`: options stand between the tool id and the function`);
  }
  if (second !== undefined && (typeof second !== "object" || second === null)) {
    throw new ConfigurationError(`guard of \`${first}\`: after the tool id comes a function, or options`);
  }
  const options: GuardOptions = readGuardOptions(second ?? {}, first);
  if (typeof third === "function") return wrap(first, options, third);
  if (third !== undefined) {
    throw new ConfigurationError(`guard of \`${first}\`: after the options comes a function`);
  }
  bindTool(first, options, options.async === true ? "async" : "plain");
  return decorator(first, options);
}

/** Wraps a function, a method under either kind of decorator, and nothing else. */
function decorator(id: string, options: GuardOptions): (...args: unknown[]) => unknown {
  return (target, context, descriptor) => {
    if (typeof descriptor === "object" && descriptor !== null) {
      const method: unknown = Reflect.get(descriptor, "value");
      if (typeof method !== "function") {
        throw new ConfigurationError(
          `guard of \`${id}\`: only methods can be decorated, not accessors or fields`,
        );
      }
      Reflect.set(descriptor, "value", wrap(id, options, method));
      return descriptor;
    }
    const kind: unknown =
      typeof context === "object" && context !== null ? Reflect.get(context, "kind") : "function";
    if (typeof target !== "function" || (kind !== "method" && kind !== "function")) {
      throw new ConfigurationError(`guard of \`${id}\`: only functions and methods can be guarded`);
    }
    return wrap(id, options, target);
  };
}

function wrap(id: string, options: GuardOptions, fn: unknown): unknown {
  if (typeof fn !== "function")
    throw new ConfigurationError(`guard of \`${id}\`: there is no function to guard`);
  if (/^class\b/.test(Function.prototype.toString.call(fn))) {
    throw new ConfigurationError(`guard of \`${id}\`: a class cannot be guarded; guard its methods`);
  }
  const tool = bindTool(id, options, kindOf(fn));
  const body = fn as ToolFunction;
  // A method, because `new` refuses those: what a constructor puts on its `this` would leave unjudged.
  const { guarded } = {
    guarded(this: unknown, ...args: unknown[]): unknown {
      return invoke(tool, body, this, args);
    },
  };
  Object.defineProperties(guarded, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
    [TOOL_ID]: { value: id },
  });
  return guarded;
}

import type { GuardOptions, RefusalError } from "./options.js";

/** Any function at all: no function is refused for its parameters. */
export type AnyFunction = (...args: never[]) => unknown;

/** Options with a value that stands in place of a refused call's result. */
export interface HandledOptions<D> extends GuardOptions {
  readonly onDeny: D;
}

/** Options with a handler whose result stands in place of the call's. */
export interface HandlerOptions<R> extends GuardOptions {
  readonly onDeny: (error: RefusalError) => R;
}

/** What `onDeny` puts in place of a result: itself, or what it gives when it is a function. */
export type Fallback<D> = D extends (error: RefusalError) => infer R ? R : D;

/** A result widened by what `onDeny` may give; inside the promise where the result is one. */
export type Widened<R, D> =
  R extends PromiseLike<infer T> ? Promise<T | Awaited<Fallback<D>>> : R | Fallback<D>;

/** A guarded function with `onDeny`: its last overload, with the result widened. */
export type GuardedWith<F extends AnyFunction, D> = (
  this: ThisParameterType<F>,
  ...args: Parameters<F>
) => Widened<ReturnType<F>, D>;

/** What a standard decorator is told of the method, as far as a guard looks. */
export interface MethodContext {
  readonly kind: "method";
  readonly name: string | symbol;
}

/** What `d2Guard(id)` gives: wraps a function, or decorates a method (standard and legacy decorators). */
export interface Guarding {
  <F extends AnyFunction>(fn: F): F;
  <F extends AnyFunction>(method: F, context: MethodContext): F;
  (target: object, key: string | symbol, descriptor: PropertyDescriptor): void;
}

/** What `d2Guard(id, { onDeny })` gives: the wrapped function may give the fallback too. */
export interface GuardingWith<D> {
  <F extends AnyFunction>(fn: F): GuardedWith<F, D>;
  <F extends AnyFunction>(method: F, context: MethodContext): F;
  (target: object, key: string | symbol, descriptor: PropertyDescriptor): void;
}

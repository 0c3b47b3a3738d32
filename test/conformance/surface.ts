import type { DecisionSink } from "d2-sdk/log";
import type { CallStep, VectorUser } from "./expand.js";

/** What a guarded call gave: a value, or what it threw. */
export type Answer = { readonly value: unknown } | { readonly thrown: unknown };

/** How a vector's tool function is called. */
export interface Invocation {
  readonly step: CallStep;
  readonly args: readonly unknown[];
  /** The bare function. Gives a promise on asynchronous surfaces. */
  readonly body: (context: unknown) => unknown;
}

/**
 * One way of putting a policy in front of functions. `context` is whatever the surface needs to know where a call is
 * made; surfaces with an ambient context ignore it.
 */
export interface Surface {
  readonly name: string;
  readonly asynchronous: boolean;
  /**
   * Loads the policy of a vector; throws what loading throws.
   *
   * @param sink where the surface's decision log goes, if it keeps one
   */
  load(
    policy: object | string,
    limits: Readonly<Record<string, number>> | undefined,
    sink?: DecisionSink,
  ): Promise<LoadedSurface>;
}

export interface LoadedSurface {
  /** Runs a block for a user, in a session that ends with it. */
  runAs<T>(user: VectorUser, context: unknown, block: (context: unknown) => T): T;
  /** A new request, with no user when `user` is null. */
  request<T>(user: VectorUser | null, block: (context: unknown) => T): T;
  clear(context: unknown): void;
  call(invocation: Invocation, context: unknown): unknown;
  close(): Promise<void>;
}

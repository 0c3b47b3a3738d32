import { D2Error } from "d2-core/call";
import { actingUser, scopes } from "./scope.js";

/** Puts a label among the facts of the current session, as a tool with that label would. */
export function recordFact(label: string): void {
  recordFacts([label]);
}

/**
 * Puts labels among the facts of the current session.
 *
 * @throws TypeError when a label is not a non-empty string
 * @throws D2Error `no_context` when there is no user: a fact that nobody holds would be lost in silence
 */
export function recordFacts(labels: readonly string[]): void {
  const given: unknown[] = Array.isArray(labels) ? Array.from(labels) : [undefined];
  if (!given.every((label): label is string => typeof label === "string" && label !== "")) {
    throw new TypeError("facts must be non-empty strings");
  }
  const user = actingUser(scopes.getStore());
  if (user === undefined) {
    throw new D2Error(
      "no_context",
      "there is no session to record facts in; set a user with `runAs` or `setUser`",
    );
  }
  user.session.addFacts(given);
}

/** The facts of the current session; empty without a user. */
export function getFacts(): readonly string[] {
  return [...(actingUser(scopes.getStore())?.session.facts ?? [])];
}

/** Whether the label is among the facts of the current session. */
export function hasFact(label: string): boolean {
  return actingUser(scopes.getStore())?.session.facts.has(label) ?? false;
}

/** Whether any of the labels is among the facts of the current session. */
export function hasAnyFact(labels: readonly string[]): boolean {
  return labels.some(hasFact);
}

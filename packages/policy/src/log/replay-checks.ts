import { NOTHING_BEFORE } from "d2-core";
import type { CallIntent } from "./event.js";
import type { ReplayPolicy } from "./policy-shelf.js";
import type { Followed } from "./session-book.js";

/**
 * Holds a recorded history against the calls that the log shows. With more calls than those it may be right: others were
 * lost, or recorded elsewhere. With fewer, or as many and others, it is not.
 */
export function compareHistory(
  { historyLength, historyDigest }: CallIntent,
  followed: Followed | undefined,
): "same" | "incomplete" | "wrong" {
  if (followed === undefined)
    return historyLength === 0 && historyDigest === NOTHING_BEFORE ? "same" : "wrong";
  const { length } = followed.session;
  if (historyLength > length) return "incomplete";
  return historyLength === length && followed.history.upTo(length) === historyDigest ? "same" : "wrong";
}

/**
 * Takes the recorded facts of a call over into its session. They are inputs, but what the session has by its earlier calls
 * and facts must be among them.
 *
 * @returns false when it is not
 */
export function takeFacts({ facts }: CallIntent, followed: Followed | undefined): boolean {
  if (followed === undefined) return facts.length === 0;
  const { session } = followed;
  const known = session.facts;
  if (facts.length === 0) return known.size === 0;
  let found = 0;
  const fresh: string[] = [];
  for (const fact of facts) {
    if (typeof fact !== "string") continue; // not written down: no label of a policy is such a text
    if (known.has(fact)) found += 1;
    else fresh.push(fact);
  }
  const whole = found === known.size;
  if (fresh.length > 0) session.addFacts(fresh);
  return whole;
}

/** Whether a call names its policy as the policy names itself. */
export function isPolicyOf({ policy }: CallIntent, { identity }: ReplayPolicy): boolean {
  return (
    policy.policyId === identity.policyId &&
    policy.policyVersion === identity.policyVersion &&
    policy.policyDigest === identity.policyDigest
  );
}

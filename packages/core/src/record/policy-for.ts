import type { PolicyContext } from "../contract/policy-context.js";
import type { Policy, PolicyVerdict } from "../contract/policy-decision.js";
import type { Plan } from "../plan/plan.js";
import type { Session } from "../session.js";
import { isMapping } from "../values/kind.js";
import { decisionMessage, type PolicyIdentity } from "./call-record.js";
import { HistoryDigest } from "./history-digest.js";
import { judgeRecorded } from "./judge-recorded.js";

/**
 * The evaluator of the policy language as a policy of the decision contract: evaluates the inputs of a recorded
 * `tool.call`, and gives the decision that the guard took on them. Inputs that cannot be decided on are denied with
 * `evaluation_error`: those of another history than the session's, and those of which values were left out that the
 * decision needs.
 *
 * @param plan of the policy; undefined where there was none
 * @param session as it was when the call was made; its facts are those of the inputs
 * @param enclosing id in the session's family of the running call that the call was made inside of; 0 (default): none
 */
export function policyFor(
  plan: Plan | undefined,
  { policyId, policyVersion }: PolicyIdentity,
  session: Session,
  enclosing = 0,
): Policy {
  return Object.freeze({
    policyId,
    policyVersion,
    evaluate({ inputs }: PolicyContext): PolicyVerdict {
      const { extensions } = inputs;
      if (!isMapping(extensions) || !isHistoryOf(session, extensions)) return UNDECIDED;
      const verdict = judgeRecorded(plan, inputs, session, enclosing);
      if ("cause" in verdict) return UNDECIDED;
      const { decision } = verdict;
      return {
        outcome: decision.outcome === "allow" ? "ALLOW" : "DENY",
        reasonCode: decision.reason,
        reasonMessage: decisionMessage(decision) ?? null,
      };
    },
  });
}

const UNDECIDED: PolicyVerdict = Object.freeze({ outcome: "DENY", reasonCode: "evaluation_error" });

/** Whether what inputs say of the history is what the session has. */
function isHistoryOf(session: Session, extensions: { readonly [key: string]: unknown }): boolean {
  return (
    extensions["history_length"] === session.length &&
    extensions["history_digest"] === new HistoryDigest(session).upTo(session.length)
  );
}

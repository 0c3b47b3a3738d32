import { decideCall, decideRelease, type Plan, Session } from "d2-core";
import type { Script } from "./analysis.js";

/**
 * Whether the decisions of `d2-core`, asked call by call as the guard asks them, let a script run as it is written: every
 * call allowed, and what is returned released.
 */
export function runsAsWritten(plan: Plan, { roles, steps }: Script): boolean {
  const session = new Session();
  const view = plan.view(roles);
  return steps.every((step) => {
    const call = { tool: step.tool, session, enclosing: 0, names: undefined, args: [step.args] };
    const { decision, entry } = decideCall("current", view, call);
    if (decision.outcome === "deny" || entry === undefined) return false;
    const id = session.begin(step.tool, 0);
    session.addFacts(entry.labels);
    const released =
      "returns" in step && decideRelease(entry.output, step.returns).decision.outcome === "allow";
    session.end(id, released);
    return released || "throws" in step;
  });
}

import {
  checkDocument,
  compilePlan,
  type Decision,
  decideCall,
  decideRelease,
  decideThrown,
  type Plan,
  Session,
  type ToolEntry,
} from "d2-core";
import type { Ending, User, Verdict } from "./authored.js";
import type { Surface, SurfaceSession } from "./comparison.js";

interface RunningCall {
  readonly session: Session;
  readonly id: number;
  readonly entry: ToolEntry;
}

/** The plan, as the comparison with the reference evaluator drives it. */
export const PLAN_SURFACE: Surface = {
  open(policy, user) {
    const { document, faults } = checkDocument(policy);
    if (document === undefined) throw new Error(faults.map(({ message }) => message).join("\n"));
    return session(compilePlan(document), user, new Session(), [], 0);
  },
};

function session(plan: Plan, user: User, own: Session, calls: RunningCall[], within: number): SurfaceSession {
  return {
    start(tool, args, parent) {
      const enclosing = parent === null ? within : (calls[parent]?.id ?? 0);
      const verdict = decideCall("current", plan.view(user.roles), {
        tool,
        session: own,
        enclosing,
        names: undefined,
        args: [args],
      });
      const { entry } = verdict;
      if (verdict.decision.outcome === "deny" || entry === undefined)
        return { decision: tell(verdict.decision) };
      const id = own.begin(tool, enclosing);
      own.addFacts(entry.labels);
      calls.push({ session: own, id, entry });
      return { decision: tell(verdict.decision), call: calls.length - 1 };
    },
    end(call, ending) {
      const running = calls[call];
      if (running === undefined) throw new Error("no such call");
      const { decision, value, released } = judge(running.entry, ending);
      running.session.end(running.id, released);
      return released ? { decision: tell(decision), value } : { decision: tell(decision) };
    },
    openChild(other, enclosing) {
      const inner = enclosing === null ? within : (calls[enclosing]?.id ?? 0);
      return session(plan, other, new Session(own), calls, inner);
    },
    close() {
      own.close();
    },
  };
}

function judge(entry: ToolEntry, ending: Ending): { decision: Decision; value?: unknown; released: boolean } {
  if ("threw" in ending) {
    const thrown = Object.assign(new Error(), ending.threw);
    const denial = ending.refusal === true ? undefined : decideThrown(entry.output, thrown);
    return { decision: denial ?? entry.allowed.decision, released: false };
  }
  const { decision, value } = decideRelease(entry.output, ending.returned);
  return { decision, value, released: decision.outcome === "allow" };
}

function tell({ outcome, reason, layer, violations }: Decision): Verdict {
  return layer === "input" ? { outcome, reason, violations } : { outcome, reason };
}

import { compilePlan, decideRelease, type PolicyState } from "d2-core";
import { frozen } from "../frozen.js";
import type { LoadedPolicy } from "../load-policy.js";
import { closeRules } from "./close-rules.js";
import { consultedRules } from "./consulted-rules.js";
import type { ConsultedRule, ExplainedCall, ExplainOptions, Explanation } from "./explanation.js";
import { layersOf } from "./layers.js";
import { proposedChanges } from "./proposed-changes.js";
import { decide, entryOf, situationOf } from "./situation.js";

/**
 * Explains how a policy decides a call: the decision, what every layer says (also those after the one that denied), the
 * rules that had a say, for a denial the smallest changes that would allow it, each decided again before it is listed as
 * verified, and for an allowed call what came close. The same call gives the same explanation.
 *
 * Of arguments and results there is nothing in it, but for distances to bounds with the option `values`; proposed values
 * come from the policy.
 *
 * @throws ConfigurationError when `params` is faulty
 */
export function explainCall(
  policy: LoadedPolicy,
  call: ExplainedCall,
  options: ExplainOptions = {},
): Explanation {
  const { document, expiresAt } = policy;
  const plan = compilePlan(document, { expiresAt });
  const situation = situationOf(plan, call, call.state ?? stateAt(expiresAt, options.now));
  const { decision } = decide(situation);
  const allowed = decision.outcome === "allow";
  const entry = entryOf(situation);
  const released =
    allowed && call.output !== undefined ? decideRelease(entry?.output, call.output.value) : undefined;
  const layers = layersOf(situation, released?.decision);
  return frozen({
    tool: call.tool,
    roles: [...(call.user?.roles ?? [])],
    decision,
    release:
      released === undefined ? undefined : { decision: released.decision, transforms: released.transforms },
    layers,
    rules: consultedRules(document, situation).map((rule) => located(rule, options)),
    changes: allowed ? [] : proposedChanges(document, situation),
    close: allowed ? closeRules(document, situation, expiresAt, options) : [],
  });
}

function stateAt(expiresAt: number | undefined, now: number | undefined): PolicyState {
  return expiresAt !== undefined && now !== undefined && now >= expiresAt ? "expired" : "current";
}

function located(rule: ConsultedRule, { locate }: ExplainOptions): ConsultedRule {
  const place = locate?.(rule.rule);
  return place === undefined ? rule : { ...rule, line: place.line, column: place.column };
}

import { compilePlan, decideRelease, type PolicyState } from "d2-core";
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

/** Freezes what was made here, and what is inside. What is frozen already (the decision, operands) is so all the way. */
function frozen<T>(made: T): T {
  if (typeof made !== "object" || made === null || Object.isFrozen(made)) return made;
  for (const inside of Object.values(made)) frozen(inside);
  return Object.freeze(made);
}

function stateAt(expiresAt: number | undefined, now: number | undefined): PolicyState {
  return expiresAt !== undefined && now !== undefined && now >= expiresAt ? "expired" : "current";
}

function located(rule: ConsultedRule, { locate }: ExplainOptions): ConsultedRule {
  const place = locate?.(rule.rule);
  return place === undefined ? rule : { ...rule, line: place.line, column: place.column };
}

/** An explanation in lines of plain words, in the order of its parts. */
export function explainText({
  tool,
  roles,
  decision,
  release,
  layers,
  rules,
  changes,
  close,
}: Explanation): string {
  const by = decision.rule === undefined ? "" : ` by ${decision.rule}`;
  const who = roles.length === 0 ? "nobody's roles" : roles.map((role) => `\`${role}\``).join(", ");
  const lines = [`\`${tool}\` for ${who}: ${decision.outcome}, ${decision.reason}${by}`];
  for (const { layer, verdict, would, reason, rule } of layers) {
    const hidden = verdict === "not_reached" && would === "deny" ? `, would deny: ${reason}` : "";
    lines.push(
      `  ${layer.padEnd(13)}${verdict.replaceAll("_", " ")}${hidden}${rule === undefined ? "" : ` by ${rule}`}`,
    );
  }
  if (release !== undefined)
    lines.push(`  released: ${release.decision.outcome}, ${release.decision.reason}`);
  if (rules.length > 0) lines.push("rules:");
  for (const { rule, effect, words, line } of rules) {
    lines.push(`  ${effect.padEnd(10)}${words} (${rule}${line === undefined ? "" : `, line ${line}`})`);
  }
  if (changes.length > 0) lines.push("would be allowed by:");
  for (const { steps, verified } of changes) {
    lines.push(`  ${steps.map(({ words }) => words).join("; and ")}${verified ? "" : " (not tried)"}`);
  }
  if (close.length > 0) lines.push("close:");
  for (const { words, rule } of close) lines.push(`  ${words}${rule === undefined ? "" : ` (${rule})`}`);
  return `${lines.join("\n")}\n`;
}

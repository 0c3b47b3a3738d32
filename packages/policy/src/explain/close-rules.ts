import { compareCodePoints, formatDocumentPath, type PolicyDocument } from "d2-core";
import { valuesAt } from "./argument-paths.js";
import { operatorWords, refersTo } from "./consulted-rules.js";
import type { CloseRule, ExplainOptions } from "./explanation.js";
import { entryOf, type Situation, sessionOf } from "./situation.js";

/** How near a bound must be: within this part of it, or within one. */
const NEAR = 0.1;
const DAY = 24 * 60 * 60 * 1000;
const BOUNDS: ReadonlySet<string> = new Set(["min", "max", "gt", "lt"]);

/** What came close for an allowed call, and what it closes for later ones. */
export function closeRules(
  document: PolicyDocument,
  situation: Situation,
  expiresAt: number | undefined,
  options: ExplainOptions,
): CloseRule[] {
  return [
    ...bounds(situation, options),
    ...closedBySequence(document, situation),
    ...closedByLabels(document, situation),
    ...expiry(expiresAt, options),
  ];
}

/** Bounds that a number has come near. That they are listed tells as much of the number, and no more. */
function bounds(situation: Situation, { values = false }: ExplainOptions): CloseRule[] {
  const found: CloseRule[] = [];
  for (const rule of entryOf(situation)?.input?.rules ?? []) {
    const numbers = valuesAt(situation, rule.path).filter((value) => typeof value === "number");
    for (const { violation } of rule.checks) {
      const { operator, operand } = violation;
      if (!BOUNDS.has(operator) || typeof operand !== "number" || numbers.length === 0) continue;
      const distance = numbers.reduce((least, value) => Math.min(least, Math.abs(operand - value)), Infinity);
      if (distance > Math.max(1, Math.abs(operand) * NEAR)) continue;
      const words = `\`${rule.path}\` has come near its bound: ${operatorWords(operator, operand)}`;
      found.push({ kind: "bound", rule: rule.at, words, ...(values ? { distance } : {}) });
    }
  }
  return found;
}

/** Tools that the user could call before this call and cannot call after it. */
function closedBySequence(document: PolicyDocument, situation: Situation): CloseRule[] {
  const { plan, roles = [] } = situation;
  const view = plan.view(roles);
  const { space } = view;
  if (space === undefined) return [];
  const before = sessionOf(situation);
  const after = sessionOf({ ...situation, history: [...situation.history, situation.tool] });
  const ruleOfClass = new Map<number, string | undefined>();
  const toolsOfRule = new Map<string, string[]>();
  for (const tool of knownTools(document)) {
    const { denial, toolClass } = view.entry(tool);
    if (denial !== undefined) continue;
    if (!ruleOfClass.has(toolClass)) {
      const now = before.tracker(space).denial(before, tool, toolClass, 0);
      const then = after.tracker(space).denial(after, tool, toolClass, 0);
      ruleOfClass.set(toolClass, now === undefined ? then?.rule : undefined);
    }
    const rule = ruleOfClass.get(toolClass);
    if (rule === undefined) continue;
    const tools = toolsOfRule.get(rule);
    if (tools === undefined) toolsOfRule.set(rule, [tool]);
    else tools.push(tool);
  }
  return [...toolsOfRule]
    .sort(([left], [right]) => compareCodePoints(left, right))
    .map(([rule, tools]) => {
      const words = `after this call the session may not call ${tools.map((tool) => `\`${tool}\``).join(", ")}`;
      return { kind: "sequence" as const, rule, words, tools };
    });
}

/** Labels that this call adds, each with the tools of the user that it blocks. */
function closedByLabels(document: PolicyDocument, situation: Situation): CloseRule[] {
  const present = sessionOf(situation).facts;
  const view = situation.plan.view(situation.roles ?? []);
  const added = (entryOf(situation)?.labels ?? []).filter((label) => !present.has(label));
  return [...added].sort(compareCodePoints).map((label) => {
    const rules = document.labels.filter(
      ({ labels, tool }) => labels.includes(label) && refersTo(document, tool, situation.tool),
    );
    const [at] = rules.map((rule) => formatDocumentPath(rule.at));
    const references = document.blocks.filter((block) => block.label === label).flatMap(({ tools }) => tools);
    const tools = knownTools(document).filter((tool) => {
      const { denial, blocks } = view.entry(tool);
      return denial === undefined && blocks.some((block) => block.label === label);
    });
    const what = references.length === 0 ? "nothing" : references.map((it) => `\`${it}\``).join(", ");
    const words = `this call marks the session \`${label}\`, which blocks ${what}`;
    return { kind: "label" as const, ...(at === undefined ? {} : { rule: at }), words, tools };
  });
}

/** Tools that the policy names by their exact id. */
function knownTools(document: PolicyDocument): string[] {
  const references = document.policies.flatMap(({ permissions, sequence }) => [
    ...permissions.map(({ tool }) => tool),
    ...(sequence?.rules ?? []).flatMap(({ steps }) => steps),
  ]);
  const named = [
    ...references,
    ...document.toolGroups.flatMap(({ tools }) => tools),
    ...document.labels.map(({ tool }) => tool),
    ...document.blocks.flatMap(({ tools }) => tools),
  ];
  const exact = named.filter((tool) => !tool.startsWith("@") && !tool.includes("*"));
  return [...new Set(exact)].sort(compareCodePoints);
}

function expiry(expiresAt: number | undefined, { now }: ExplainOptions): CloseRule[] {
  if (expiresAt === undefined || now === undefined || now >= expiresAt) return [];
  const days = Math.floor((expiresAt - now) / DAY);
  const left = days === 0 ? "in less than a day" : days === 1 ? "in a day" : `in ${days} days`;
  return [
    {
      kind: "expiry",
      rule: "metadata.expires",
      words: `the policy expires ${left}, and then every call is denied`,
    },
  ];
}

import { compareCodePoints, type PolicyDocument } from "d2-core";
import { refersTo } from "./consulted-rules.js";
import type { CloseRule, ExplainOptions } from "./explanation.js";
import { entryOf, type Situation, sequenceDenial, sessionOf } from "./situation.js";

/** Tools whose next call is looked at. */
const MAX_TOOLS = 1000;
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

function bounds(situation: Situation, { values = false }: ExplainOptions): CloseRule[] {
  const { names, args } = situation;
  const found: CloseRule[] = [];
  for (const rule of entryOf(situation)?.input?.rules ?? []) {
    const value = valueAt(names === undefined ? args[0] : undefined, rule.path, situation);
    if (typeof value !== "number") continue;
    for (const { violation } of rule.checks) {
      const { operator, operand } = violation;
      if (!BOUNDS.has(operator) || typeof operand !== "number") continue;
      const distance = Math.abs(operand - value);
      const words = `\`${rule.path}\` is held by ${operator} ${operand}`;
      found.push({ kind: "bound", rule: rule.at, words, ...(values ? { distance } : {}) });
    }
  }
  return found;
}

function valueAt(holder: unknown, path: string, { names, args }: Situation): unknown {
  let [first = "", ...rest] = path.split(".");
  let at: unknown = holder;
  if (names !== undefined) {
    const position = names.positions.get(first);
    at = position === undefined ? undefined : args[position];
    [first = "", ...rest] = rest;
    if (first === "") return at;
  }
  for (const key of [first, ...rest]) {
    if (typeof at !== "object" || at === null) return undefined;
    const property = Object.getOwnPropertyDescriptor(at, key);
    at = property?.value;
  }
  return at;
}

/** Tools that could be called before this call and cannot be after it. */
function closedBySequence(document: PolicyDocument, situation: Situation): CloseRule[] {
  const after = { ...situation, history: [...situation.history, situation.tool] };
  const byRule = new Map<string, string[]>();
  for (const tool of knownTools(document)) {
    const then = sequenceDenial(after, tool);
    if (then === undefined || sequenceDenial(situation, tool) !== undefined) continue;
    const tools = byRule.get(then.rule);
    if (tools === undefined) byRule.set(then.rule, [tool]);
    else tools.push(tool);
  }
  return [...byRule]
    .sort(([left], [right]) => compareCodePoints(left, right))
    .map(([rule, tools]) => ({
      kind: "sequence" as const,
      rule,
      words: `after this call the session may not call ${tools.map((tool) => `\`${tool}\``).join(", ")}`,
      tools,
    }));
}

/** Labels that this call adds, each with the tools that it blocks. */
function closedByLabels(document: PolicyDocument, situation: Situation): CloseRule[] {
  const present = sessionOf(situation).facts;
  const added = (entryOf(situation)?.labels ?? []).filter((label) => !present.has(label));
  return [...added].sort(compareCodePoints).map((label) => {
    const references = document.blocks.filter((block) => block.label === label).flatMap(({ tools }) => tools);
    const tools = knownTools(document).filter((tool) =>
      references.some((reference) => refersTo(document, reference, tool)),
    );
    const what = references.length === 0 ? "nothing" : references.map((it) => `\`${it}\``).join(", ");
    return {
      kind: "label" as const,
      words: `this call marks the session \`${label}\`, which blocks ${what}`,
      tools,
    };
  });
}

/** Tools that the policy names by their exact id. */
function knownTools(document: PolicyDocument): string[] {
  const references = document.policies.flatMap(({ permissions, sequence }) => [
    ...permissions.map(({ tool }) => tool),
    ...(sequence?.rules ?? []).flatMap(({ steps }) => steps),
  ]);
  const named = [...references, ...document.toolGroups.flatMap(({ tools }) => tools)];
  const exact = named.filter((tool) => !tool.startsWith("@") && !tool.includes("*"));
  return [...new Set(exact)].sort(compareCodePoints).slice(0, MAX_TOOLS);
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

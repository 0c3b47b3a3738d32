import type { PolicyDocument } from "d2-core";
import { excuseOf } from "./excuses.js";
import type { ToolSets } from "./tool-sets.js";
import { joinedClauses } from "./words-lists.js";
import { everyTool, someTool } from "./words-references.js";

export type SequenceRules = NonNullable<PolicyDocument["policies"][number]["sequence"]>;
export type SequenceRule = SequenceRules["rules"][number];

/**
 * What a deny pattern forbids: `` after `db.read`, `web.post` is denied, unless `redact` ran in between ``.
 *
 * @param allowed the allow patterns of the same role, of which some may excuse it
 */
export function denyPatternWords(
  rule: SequenceRule,
  allowed: readonly SequenceRule[],
  tools: ToolSets,
): string {
  const last = rule.steps.at(-1) ?? "";
  const before = rule.steps.slice(0, -1).map(someTool).join(" and then ");
  const excuses = allowed.flatMap((allow) => {
    const words = excuseWords(rule.steps, allow.steps, tools);
    return words === undefined ? [] : [words];
  });
  const unless = excuses.length === 0 ? "" : `, unless ${joinedClauses([...new Set(excuses)], "or")}`;
  const why = rule.reason === undefined ? "" : ` (${rule.reason})`;
  return `after ${before}, ${everyTool(last)} is denied${unless}${why}`;
}

/** What an allow pattern permits to a role that may do nothing else. */
export function allowPatternWords(rule: SequenceRule): string {
  const steps = rule.steps;
  const last = everyTool(steps.at(-1) ?? "");
  const before = steps.slice(0, -1).map(someTool);
  const [first, ...more] = before;
  const why = rule.reason === undefined ? "" : ` (${rule.reason})`;
  if (first === undefined) return `${last} at any time${why}`;
  const opening =
    more.length === 0
      ? `${everyTool(steps[0] ?? "")} as the first call of the session`
      : `${before.join(", then ")} as the first calls of the session`;
  return `${opening}, and ${last} at any time after ${before.join(" and then ")}${why}`;
}

/** What an allow pattern does in a role that may do all that no deny pattern forbids. */
export function excusingWords(rule: SequenceRule, excusesSomething: boolean): string {
  const steps = rule.steps.map(someTool).join(", then ");
  const why = rule.reason === undefined ? "" : ` (${rule.reason})`;
  return excusesSomething
    ? `${steps} is an exception to what is denied above${why}`
    : `${steps} is listed, and changes nothing: no deny pattern of the role can be excused by it${why}`;
}

/** When an allow pattern excuses a deny pattern; `undefined`: it never can. */
function excuseWords(
  denied: readonly string[],
  allowed: readonly string[],
  tools: ToolSets,
): string | undefined {
  const excuse = excuseOf(denied, allowed, tools);
  if (excuse === undefined) return undefined;
  const { before, between } = excuse;
  if (before !== undefined && between !== undefined) {
    if (before.length > 0 && between.length === 0) {
      return `${before.map(someTool).join(" and then ")} ran before that`;
    }
    if (before.length === 0 && between.length > 0) {
      return `${between.map(someTool).join(" and then ")} ran in between`;
    }
  }
  return `the calls were ${allowed.map(someTool).join(", then ")}, each ended before the next began`;
}

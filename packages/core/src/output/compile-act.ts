import type { ActionName, FieldRule, OperatorName, PolicyValue } from "../document/document.js";
import { formatDocumentPath } from "../document/fault.js";
import type { Judge } from "../operators/operator.js";
import { operatorOf } from "../operators/operators.js";
import { compilePattern, type Pattern } from "../operators/pattern.js";
import { type Act, DENIED, type LeafAct, REDACTED, REMOVED } from "./act.js";

const TEXT_OPERATORS: ReadonlySet<OperatorName> = new Set(["matches", "contains", "startsWith", "endsWith"]);

/** Binds a rule with an action. */
export function compileAct(rule: FieldRule, action: ActionName, index: number): Act {
  const { path, operators } = rule;
  const uses = operators.map(({ name, operand }) => ({ name, judge: operatorOf(name).bind(operand) }));
  const operandOf = (name: OperatorName): PolicyValue | undefined =>
    operators.find((use) => use.name === name)?.operand;
  const source = action === "redact" ? operandOf("matches") : undefined;
  const pattern = source === undefined ? undefined : compilePattern(String(source));
  const length = Number(operandOf("maxLength") ?? Number.POSITIVE_INFINITY);
  const matcher = pattern === undefined ? undefined : uses.find(({ name }) => name === "matches")?.judge;
  // What is longer than `maxLength` breaks it, and what is not has nothing to cut: `truncate` need not ask.
  const always = uses.length === 0 || action === "truncate";
  const others = uses.filter(({ name }) => name !== "matches").map(({ judge }) => judge);
  const all = uses.map(({ judge }) => judge);
  const texts = uses.filter(({ name }) => TEXT_OPERATORS.has(name));
  const textJudges = texts.map(({ judge }) => judge);
  const otherTexts = texts.filter(({ name }) => name !== "matches").map(({ judge }) => judge);
  const wholes = uses.filter(({ name }) => !TEXT_OPERATORS.has(name)).map(({ judge }) => judge);
  return {
    index,
    path,
    action,
    rule: formatDocumentPath(rule.at),
    report: Object.freeze({ path, action }),
    wantsPresence: action === "deny" && operandOf("required") === true,
    onLeaf: always
      ? certainAct(action, length)
      : leafAct(action, anyFires(all), pattern, anyFires(others), length),
    firesOnWhole: always ? () => true : anyFires(wholes),
    onText:
      texts.length === 0
        ? undefined
        : leafAct(action, anyFires(textJudges), pattern, anyFires(otherTexts), length),
    findsMatch: matcher === undefined ? undefined : (value) => (matcher.fires(value) ? DENIED : value),
    length,
  };
}

/** What an act makes of a leaf when it fires on every value. */
function certainAct(action: ActionName, length: number): LeafAct {
  switch (action) {
    case "filter":
      return () => REMOVED;
    case "deny":
      return () => DENIED;
    case "truncate":
      return (value) => (typeof value === "string" ? cutText(value, length) : value);
    case "redact":
      return () => REDACTED;
  }
}

function leafAct(
  action: ActionName,
  fires: (value: unknown) => boolean,
  pattern: Pattern | undefined,
  othersFire: (value: unknown) => boolean,
  length: number,
): LeafAct {
  switch (action) {
    case "filter":
      return (value) => (fires(value) ? REMOVED : value);
    case "deny":
      return (value) => (fires(value) ? DENIED : value);
    case "truncate":
      return (value) => (typeof value === "string" && fires(value) ? cutText(value, length) : value);
    case "redact":
      if (pattern === undefined) return (value) => (fires(value) ? REDACTED : value);
      return (value) => {
        if (typeof value !== "string") return fires(value) ? REDACTED : value;
        return pattern.replaceAll(value, REDACTED) ?? (othersFire(value) ? REDACTED : value);
      };
  }
}

function anyFires(judges: readonly Judge[]): (value: unknown) => boolean {
  const [only] = judges;
  if (only === undefined) return () => false;
  if (judges.length === 1) return (value) => only.fires(value);
  return (value) => judges.some((judge) => judge.fires(value));
}

const SURROGATE = /[\ud800-\udfff]/;

/** The first `length` code points of a text. A surrogate without its partner counts as one; a pair is never split. */
function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const head = text.slice(0, length);
  if (!SURROGATE.test(head)) return head;
  let end = 0;
  for (let count = 0; count < length && end < text.length; count++) {
    const code = text.codePointAt(end);
    end += code !== undefined && code > 0xffff ? 2 : 1;
  }
  return end < text.length ? text.slice(0, end) : text;
}

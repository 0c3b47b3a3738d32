import type { Violation } from "../decision.js";
import type { FieldRule, OperatorUse, PolicyValue } from "../document/document.js";
import { formatDocumentPath } from "../document/fault.js";
import type { Operator } from "../operators/operator.js";
import { operatorOf } from "../operators/operators.js";

/** An input rule and where it came from. */
export interface InputSource {
  readonly rule: FieldRule;
  /** Whether the permission names the tool by its exact id: then the argument must be one that the guard knows. */
  readonly exact: boolean;
}

/** How far the operators of a rule look into a list or mapping: not at all, at its own entries, or all the way down. */
export type Look = "kind" | "entries" | "all";

/** Whether a present value satisfies an operator. */
export type Holds = (value: unknown) => boolean;

/** One operator of one rule. */
export interface Check {
  readonly holds: Holds;
  readonly violation: Violation;
}

/** The rules of one permission for one argument path. */
export interface InputRule {
  readonly path: string;
  /** Document path of the rule. */
  readonly at: string;
  readonly exact: boolean;
  /**
   * Keys that lead to the value: `keys[i]` are those that may be tried after `i` parts of the path were used up, each
   * with the number of parts used up then. More than one, because a key may have dots in its name.
   */
  readonly keys: readonly (readonly Key[])[];
  /** What `required: true` says; absent when the rule does not require its argument. */
  readonly required: Violation | undefined;
  /** The operators but `required`, which a present value must satisfy. */
  readonly checks: readonly Check[];
  readonly look: Look;
  /** For a value on the way that has no keys. */
  readonly notEntered: Violation;
  readonly notInspectable: Violation;
  readonly unknown: Violation;
}

export interface Key {
  readonly key: string;
  readonly used: number;
}

/** All rules for an argument as a whole, in one place, so that it is read once. */
export interface ArgumentRules {
  readonly key: string;
  readonly required: boolean;
  readonly exact: boolean;
  /** Whether a present value satisfies all of them. */
  readonly holds: Holds;
}

/** The input rules of a tool, compiled once for each set of permissions. */
export interface InputPlan {
  /** Every rule in document order. */
  readonly rules: readonly InputRule[];
  /** The rules without a dot in their path, by argument. */
  readonly whole: readonly ArgumentRules[];
  /** Whether those are all the rules. */
  readonly onlyWhole: boolean;
}

/** Compiles the input rules that apply to a tool together. `undefined`: nothing to check. */
export function compileInput(sources: readonly InputSource[]): InputPlan | undefined {
  const rules = sources.filter(({ rule }) => rule.operators.length > 0).map(compileRule);
  if (rules.length === 0) return undefined;
  const whole = new Map<string, InputRule[]>();
  for (const rule of rules) {
    if (rule.keys.length !== 1) continue;
    const siblings = whole.get(rule.path);
    if (siblings === undefined) whole.set(rule.path, [rule]);
    else siblings.push(rule);
  }
  return Object.freeze({
    rules: Object.freeze(rules),
    whole: Object.freeze([...whole].map(([key, siblings]) => mergeRules(key, siblings))),
    onlyWhole: rules.every((rule) => rule.keys.length === 1),
  });
}

function compileRule({ rule, exact }: InputSource): InputRule {
  const { path } = rule;
  const checked = rule.operators.filter((use) => use.name !== "required");
  const required = rule.operators.find((use) => use.name === "required" && use.operand === true);
  return Object.freeze({
    path,
    at: formatDocumentPath(rule.at),
    exact,
    keys: Object.freeze(keysOf(path)),
    required: required === undefined ? undefined : violationOf(path, required),
    checks: Object.freeze(
      checked.map((use) => {
        const { holds } = operatorOf(use.name).bind(use.operand);
        return Object.freeze({ holds, violation: violationOf(path, use) });
      }),
    ),
    look: furthest(checked.map(lookOf)),
    notEntered: structural(path, "path", "cannot be reached: something on the way to it has no keys"),
    notInspectable: structural(path, "not_inspectable", "is not plain data that can be looked into safely"),
    unknown: structural(path, "unknown_argument", "is not among the parameters that the guard was given"),
  });
}

function mergeRules(key: string, rules: readonly InputRule[]): ArgumentRules {
  return Object.freeze({
    key,
    required: rules.some((rule) => rule.required !== undefined),
    exact: rules.some((rule) => rule.exact),
    holds: all(rules.flatMap((rule) => rule.checks.map((check) => check.holds))),
  });
}

/** Joins checks into one. Each joint is a function of its own, which is quicker to run than a loop over a list. */
function all([first, second, ...rest]: readonly Holds[]): Holds {
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (rest.length === 0) return (value) => first(value) && second(value);
  const others = all(rest);
  return (value) => first(value) && second(value) && others(value);
}

/** Every way to cut a dotted path into keys: `a.b` is the key `b` under `a`, and the key `a.b`. */
function keysOf(path: string): (readonly Key[])[] {
  const parts = path.split(".");
  return parts.map((_, start) =>
    parts
      .slice(start)
      .map((_, extra) => ({ key: parts.slice(start, start + extra + 1).join("."), used: start + extra + 1 })),
  );
}

function violationOf(path: string, use: OperatorUse): Violation {
  const operator: Operator = operatorOf(use.name);
  return Object.freeze({
    path,
    operator: use.name,
    operand: use.operand,
    message: `\`${path}\` ${operator.complaint}`,
  });
}

function structural(path: string, operator: string, complaint: string): Violation {
  return Object.freeze({ path, operator, message: `\`${path}\` ${complaint}` });
}

function furthest(looks: readonly Look[]): Look {
  if (looks.includes("all")) return "all";
  return looks.includes("entries") ? "entries" : "kind";
}

/** How far an operator looks into a list or mapping before it can judge it. */
function lookOf({ name, operand }: OperatorUse): Look {
  switch (name) {
    case "required":
    case "type":
    case "min":
    case "max":
    case "gt":
    case "lt":
    case "matches":
    case "not_matches":
    case "startsWith":
    case "endsWith":
      return "kind";
    case "minLength":
    case "maxLength":
      return "entries";
    case "eq":
    case "ne":
      return isScalar(operand) ? "kind" : "all";
    case "in":
    case "not_in":
      return Array.isArray(operand) && operand.every(isScalar) ? "kind" : "all";
    case "contains":
    case "not_contains":
      return isScalar(operand) ? "entries" : "all";
    case "max_bytes":
      return "all";
  }
}

function isScalar(operand: PolicyValue): boolean {
  return typeof operand !== "object" || operand === null;
}

import { type InputPlan, type InputRule, judgeInput, type ParameterNames } from "d2-core";
import type { Outcome } from "./coverage.js";
import { itemKey } from "./coverage-items.js";

/** What each operator of the input rules says of a call's arguments, whatever the others say. */
export function inputOutcomes(
  plan: InputPlan,
  names: ParameterNames | undefined,
  args: readonly unknown[],
): Outcome[] {
  // Arguments beyond the names are a fault of the call and not of a rule.
  const own = names !== undefined && names.rest === undefined ? args.slice(0, names.count) : args;
  return plan.rules.flatMap((rule) => ruleOutcomes(rule, names, own));
}

/** An operator is satisfied only by a value that is there, for an absent one passes them all without being looked at. */
function ruleOutcomes(
  rule: InputRule,
  names: ParameterNames | undefined,
  args: readonly unknown[],
): Outcome[] {
  const seen = rule.checks.map(() => ({ held: false, broken: false }));
  let present = false;
  const checks = rule.checks.map((check, index) => ({
    ...check,
    holds: (value: unknown): boolean => {
      const held = check.holds(value);
      const own = seen[index];
      if (own === undefined) return held;
      if (!held) own.broken = true;
      else if (value !== null || !passesNull(check.violation)) own.held = true;
      return held;
    },
  }));
  // Asked of every value, so that a rule that only says `required` is seen to hold.
  const asked = {
    holds: (value: unknown): boolean => {
      present ||= value !== null;
      return true;
    },
    violation: rule.unknown,
  };
  let refused = false;
  try {
    const probe = { ...rule, checks: [asked, ...checks] };
    const verdict = judgeInput({ rules: [probe], whole: [], onlyWhole: false }, names, args);
    refused = !verdict.ok && verdict.violations.some((violation) => violation === rule.required);
  } catch {
    return []; // what cannot be judged is no rule's merit
  }
  const outcomes = rule.checks.flatMap((check, index): Outcome[] => {
    const { held = false, broken = false } = seen[index] ?? {};
    const key = itemKey.operator(rule.at, check.violation.operator);
    if (broken) return [[key, "violated"]];
    return held ? [[key, "satisfied"]] : [];
  });
  if (rule.required === undefined) return outcomes;
  const key = itemKey.operator(rule.at, "required");
  if (refused) return [...outcomes, [key, "violated"]];
  return present ? [...outcomes, [key, "satisfied"]] : outcomes;
}

/** Whether null counts as absent for an operator, and so passes it unseen. */
function passesNull({
  operator,
  operand,
}: {
  readonly operator: string;
  readonly operand?: unknown;
}): boolean {
  if (operator === "type") return !listed(operand).some((name) => name === "null" || name === "none");
  return operator === "minLength" || operator === "maxLength" || operator === "max_bytes";
}

function listed(operand: unknown): readonly unknown[] {
  return Array.isArray(operand) ? operand : [operand];
}

import { decideRelease, type OutputPlan, type Release } from "d2-core";
import type { Outcome } from "./coverage.js";
import { itemKey } from "./coverage-items.js";

type FieldCheck = OutputPlan["checks"][number];

const NO_GLOBALS: OutputPlan["global"] = { empty: true, patterns: [], absent: [], size: undefined };

/** What each output rule has made of a returned value, by itself. */
export function outputOutcomes(plan: OutputPlan, value: unknown, release: Release): Outcome[] {
  // What cannot be looked into was judged by no rule.
  if (release.decision.detail === "not_inspectable") return [];
  const checks = plan.checks.flatMap((check) => checkOutcomes(plan, check, value));
  if (release.decision.reason === "output_validation") return checks;
  const acted = decideRelease({ ...plan, checks: [], global: NO_GLOBALS }, value);
  const acts = actOutcomes(plan, value, acted);
  if (acted.decision.outcome === "deny") return [...checks, ...acts];
  const { violations } = release.decision;
  const { patterns, absent, size } = plan.global;
  const globals = [...patterns, ...absent, ...(size === undefined ? [] : [size])].map(
    ({ rule, violation }): Outcome => [
      itemKey.global(rule, violation.operand),
      violations.includes(violation) ? "fired" : "passed",
    ],
  );
  return [...checks, ...acts, ...globals];
}

/** As with arguments, an operator is satisfied only by a field that is there. */
function checkOutcomes(plan: OutputPlan, check: FieldCheck, value: unknown): Outcome[] {
  return check.operators.flatMap((operator): Outcome[] => {
    let looked = false;
    const holds = (field: unknown): boolean => {
      looked = true;
      return operator.judge.holds(field);
    };
    const probe = { ...operator, judge: { ...operator.judge, holds } };
    const { decision } = withCheck(plan, { ...check, operators: [probe] }, value);
    const key = itemKey.operator(check.rule, operator.violation.operator);
    if (decision.outcome === "deny") return [[key, "violated"]];
    return looked ? [[key, "satisfied"]] : [];
  });
}

function actOutcomes(plan: OutputPlan, value: unknown, acted: Release): Outcome[] {
  const denied = plan.acts.find(({ rule }) => rule === acted.decision.rule);
  return plan.acts.flatMap((act): Outcome[] => {
    const key = itemKey.rule(act.rule);
    // The very report of the act, for two acts may have the same path and action.
    if (act === denied || acted.transforms.some((report) => report === act.report)) return [[key, "fired"]];
    // What acts before the one that denied have done cannot be told, and those after it were not asked.
    if (denied !== undefined) return [];
    return isPresent(plan, act.path, value) ? [[key, "left alone"]] : [];
  });
}

/** Whether a value has what a rule with an action is about. */
function isPresent(plan: OutputPlan, path: string, value: unknown): boolean {
  if (path === "$") return value !== undefined;
  if (!path.includes(".")) return hasKey(value, path);
  let found = false;
  const holds = (): boolean => {
    found = true;
    return true;
  };
  const violation = { path, operator: "", message: "" };
  const operator = { judge: { holds, fires: holds }, violation, required: false, typed: false };
  withCheck(plan, { rule: "", path, operators: [operator], required: false }, value);
  return found;
}

function withCheck(plan: OutputPlan, check: FieldCheck, value: unknown): Release {
  return decideRelease(
    { ...plan, checks: [check], acts: [], stages: [], singly: [], global: NO_GLOBALS },
    value,
  );
}

/** Whether a mapping at any depth has the key: that is where an action on one name looks. */
function hasKey(value: unknown, key: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (!Array.isArray(value) && Object.hasOwn(value, key)) return true;
  return Object.values(value).some((inside) => hasKey(inside, key));
}

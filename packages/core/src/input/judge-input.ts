import { isProxy } from "#platform";
import type { Violation } from "../decision.js";
import { isMapping, type PlainMapping } from "../values/kind.js";
import { EntryHolder, PositionalHolder } from "./arguments.js";
import type { ArgumentRules, InputPlan } from "./compile-input.js";
import type { InputVerdict } from "./input-verdict.js";
import { Judgement } from "./judgement.js";
import type { ParameterNames } from "./parameter-names.js";
import { copyMapping, NOT_INSPECTABLE, Snapshot } from "./snapshot.js";

const NO_ARGUMENTS: InputVerdict = Object.freeze({ ok: true, args: Object.freeze([]) });

/**
 * Judges the arguments of a call. Positional arguments go by `names`; without names the call must have no argument,
 * or one plain object whose keys are the names. Every broken rule is listed, each operator of it once.
 *
 * @param args the guard's own array of the arguments; it is handed on where no value in it had to be copied
 */
export function judgeInput(
  plan: InputPlan,
  names: ParameterNames | undefined,
  args: readonly unknown[],
): InputVerdict {
  if (names !== undefined) return judgePositional(plan, names, args);
  if (args.length === 0) return judgeNothing(plan);
  const argument = args[0];
  if (isProxy(argument))
    return refuseCall(plan, "not_inspectable", "the argument is a proxy, which may change");
  const copy = args.length === 1 ? copyMapping(argument) : undefined;
  if (copy === NOT_INSPECTABLE) {
    return refuseCall(plan, "not_inspectable", "the argument has an accessor that throws");
  }
  if (copy === undefined) {
    return refuseCall(
      plan,
      "unnamed_arguments",
      "the arguments cannot be named: pass one plain object, or give the guard `params`",
    );
  }
  if (plan.onlyWhole && entriesPass(plan.whole, copy)) return { ok: true, args: [copy] };
  const snapshot = new Snapshot();
  if (isMapping(argument)) snapshot.adopt(argument, copy);
  const judgement = new Judgement(snapshot);
  const holder = new EntryHolder(copy);
  for (const rule of plan.rules) judgement.judge(rule, holder);
  return judgement.refusal() ?? { ok: true, args: [copy] };
}

/** The quick way for entries that are all scalars and all right. False: look again, slowly. */
function entriesPass(whole: readonly ArgumentRules[], copy: PlainMapping): boolean {
  for (let index = 0; index < whole.length; index++) {
    const rules = whole[index];
    if (rules === undefined) return false;
    const { key } = rules;
    if (!passes(rules, Object.hasOwn(copy, key) ? copy[key] : undefined)) return false;
  }
  return true;
}

/** The quick way for positional arguments. */
function positionsPass(
  whole: readonly ArgumentRules[],
  names: ParameterNames,
  args: readonly unknown[],
): boolean {
  for (let index = 0; index < whole.length; index++) {
    const rules = whole[index];
    if (rules === undefined) return false;
    const position = names.positions.get(rules.key);
    if (position === undefined) {
      if (rules.exact) return false;
    } else if (!passes(rules, args[position])) return false;
  }
  return true;
}

function passes(rules: ArgumentRules, value: unknown): boolean {
  if (value === undefined) return !rules.required;
  if (value === null) {
    if (rules.required) return false;
  } else if (typeof value === "object" || typeof value === "function") return false;
  return rules.holds(value);
}

function judgeNothing(plan: InputPlan): InputVerdict {
  const judgement = new Judgement(new Snapshot());
  for (const rule of plan.rules) judgement.requireOnly(rule);
  return judgement.refusal() ?? NO_ARGUMENTS;
}

function judgePositional(plan: InputPlan, names: ParameterNames, args: readonly unknown[]): InputVerdict {
  const extra = names.rest === undefined && args.length > names.count;
  if (!extra && names.rest === undefined && plan.onlyWhole && positionsPass(plan.whole, names, args)) {
    return { ok: true, args };
  }
  const judgement = new Judgement(new Snapshot());
  if (extra) {
    judgement.refuse(
      plan.rules[0]?.at ?? "",
      callViolation("extra_arguments", "there are more arguments than `params` has names"),
    );
  }
  const holder = new PositionalHolder(names, args);
  for (const rule of plan.rules) {
    if (isAmong(names, rule.keys[0] ?? [])) judgement.judge(rule, holder);
    else if (rule.exact) judgement.refuse(rule.at, rule.unknown);
  }
  return judgement.refusal() ?? { ok: true, args: holder.all() };
}

/** Whether one of the keys that a path may begin with is the name of a parameter. */
function isAmong(names: ParameterNames, keys: readonly { readonly key: string }[]): boolean {
  return keys.some(({ key }) => names.positions.has(key));
}

/** A refusal of the call as a whole, before any rule was asked. */
function refuseCall(plan: InputPlan, detail: string, message: string): InputVerdict {
  const violations = Object.freeze([callViolation(detail, message)]);
  return { ok: false, violations, detail, rule: plan.rules[0]?.at ?? "" };
}

function callViolation(operator: string, message: string): Violation {
  return Object.freeze({ path: "", operator, message });
}

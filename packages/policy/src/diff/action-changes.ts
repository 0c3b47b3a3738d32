import { type FieldRule, formatDocumentPath, OPERATORS, type OperatorName } from "d2-core";
import { operatorWords } from "../explain/consulted-rules.js";
import type { ChangeDraft } from "./change-list.js";
import type { ChangeDirection } from "./policy-diff.js";
import { valueKey } from "./value-key.js";

/** An output rule with an action. */
type ActionRule = FieldRule & { readonly action: NonNullable<FieldRule["action"]> };

export function isActionRule(rule: FieldRule): rule is ActionRule {
  return rule.action !== undefined;
}

interface Pairing {
  readonly removed: readonly ActionRule[];
  readonly added: readonly ActionRule[];
}

/**
 * What changed in the actions on a returned value, which are done in their order. Where later rules look at what an earlier
 * one has made of the value, a new action may keep them from firing, and one that is gone may let them: such a change is
 * not ranked.
 *
 * @param global whether both policies judge the result as a whole as well
 */
export function actionChanges(
  before: readonly ActionRule[],
  after: readonly ActionRule[],
  global: boolean,
): ChangeDraft[] {
  const { removed, added } = unpaired(before, after);
  const left = new Set(added);
  const moved: ActionRule[] = [];
  const drafts: ChangeDraft[] = [];
  const gone: ActionRule[] = [];
  for (const rule of removed) {
    const same = [...left].find((other) => keyOf(other) === keyOf(rule));
    if (same === undefined) gone.push(rule);
    else {
      left.delete(same);
      moved.push(same);
    }
  }
  if (moved.length > 0) drafts.push(orderChange(moved, before, after));
  for (const rule of gone) {
    const other = [...left].find(({ path }) => path === rule.path);
    if (other !== undefined) left.delete(other);
    drafts.push(
      other === undefined ? removal(rule, before, global) : replacement(rule, other, after, global),
    );
  }
  for (const rule of left) drafts.push(addition(rule, after, global));
  return drafts;
}

function orderChange(
  moved: readonly ActionRule[],
  before: readonly ActionRule[],
  after: readonly ActionRule[],
): ChangeDraft {
  const list = moved.map(actionWords).join("; ");
  return {
    kind: "action",
    direction: "changed",
    words: (who, tools) => `for ${who}, the actions on the output of ${tools} come in another order: ${list}`,
    before: before.map(placeOf),
    after: after.map(placeOf),
  };
}

function removal(rule: ActionRule, before: readonly ActionRule[], global: boolean): ChangeDraft {
  return {
    kind: "action",
    direction: rule.action === "deny" || isLast(rule, before, global) ? "loosened" : "changed",
    path: rule.path,
    words: (who, tools) => `for ${who}, the output of ${tools} is no longer cleaned by: ${actionWords(rule)}`,
    before: [placeOf(rule)],
  };
}

function addition(rule: ActionRule, after: readonly ActionRule[], global: boolean): ChangeDraft {
  return {
    kind: "action",
    direction: rule.action === "deny" || isLast(rule, after, global) ? "tightened" : "changed",
    path: rule.path,
    words: (who, tools) => `for ${who}, the output of ${tools} is now cleaned by: ${actionWords(rule)}`,
    after: [placeOf(rule)],
  };
}

function replacement(
  old: ActionRule,
  now: ActionRule,
  after: readonly ActionRule[],
  global: boolean,
): ChangeDraft {
  const words = `${actionWords(now)}, before: ${actionWords(old)}`;
  return {
    kind: "action",
    direction: isLast(now, after, global) ? cutDirection(old, now) : "changed",
    path: now.path,
    words: (who, tools) => `for ${who}, the output of ${tools} is cleaned by: ${words}`,
    before: [placeOf(old)],
    after: [placeOf(now)],
  };
}

/** Of two cuts the shorter one is tighter; nothing else is ranked. */
function cutDirection(old: ActionRule, now: ActionRule): ChangeDirection {
  if (old.action !== "truncate" || now.action !== "truncate") return "changed";
  const length = ({ operators }: ActionRule) =>
    Number(operators.find(({ name }) => name === "maxLength")?.operand ?? Number.POSITIVE_INFINITY);
  return length(now) <= length(old) ? "tightened" : "loosened";
}

/** Whether nothing that looks at values comes after the rule in its list. */
function isLast(rule: ActionRule, list: readonly ActionRule[], global: boolean): boolean {
  if (global) return false;
  const later = list.slice(list.indexOf(rule) + 1);
  return later.every(
    ({ action, operators }) => action === "truncate" || (action !== "deny" && operators.length === 0),
  );
}

/** What is left of both lists without their longest common part. */
function unpaired(before: readonly ActionRule[], after: readonly ActionRule[]): Pairing {
  const one = before.map(keyOf);
  const two = after.map(keyOf);
  // `common[i][j]`: how long the longest common part of what begins at i and at j is.
  const common = Array.from({ length: one.length + 1 }, () => new Array<number>(two.length + 1).fill(0));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = two.length - 1; j >= 0; j -= 1) {
      const row = common[i];
      if (row === undefined) continue;
      row[j] = one[i] === two[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const removed: ActionRule[] = [];
  const added: ActionRule[] = [];
  let i = 0;
  let j = 0;
  while (i < one.length || j < two.length) {
    if (i < one.length && j < two.length && one[i] === two[j]) {
      i += 1;
      j += 1;
    } else if (j >= two.length || (i < one.length && at(i + 1, j) >= at(i, j + 1))) {
      removed.push(...before.slice(i, i + 1));
      i += 1;
    } else {
      added.push(...after.slice(j, j + 1));
      j += 1;
    }
  }
  return { removed, added };
}

/** Equal for rules that do the same. Which of several operators fires does not depend on their order. */
function keyOf({ path, action, operators }: ActionRule): string {
  const uses = operators.map(({ name, operand }) => `${name}:${valueKey(operand)}`).sort();
  return JSON.stringify([path, action, uses]);
}

function placeOf({ at }: ActionRule): string {
  return formatDocumentPath(at);
}

/** ``redact `salary` where it is more than 100``. */
function actionWords({ path, action, operators }: ActionRule): string {
  const what = path === "$" ? "it as a whole" : `\`${path}\``;
  const verb = action === "deny" ? `refuse the output for ${what}` : `${action} ${what}`;
  const length = operators.find(({ name }) => name === "maxLength")?.operand;
  if (action === "truncate") return `${verb} to ${String(length)}`;
  if (operators.length === 0) return verb;
  return `${verb} where ${operators.map(firingWords).join(" or ")}`;
}

function firingWords({ name, operand }: FieldRule["operators"][number]): string {
  const words = operatorWords(name, operand);
  switch (groupOf(name)) {
    case "is":
      return name === "matches" ? `${JSON.stringify(operand)} is found in it` : `it is ${words}`;
    case "constraint":
      return `it is not ${words}`;
    case "presence":
      return "it is absent or null";
  }
}

function groupOf(name: OperatorName) {
  const known = [...OPERATORS.values()].find((operator) => operator.name === name);
  return known?.group ?? "constraint";
}

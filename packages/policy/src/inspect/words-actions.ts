import { type FieldRule, type OperatorName, type PolicyValue, quoted } from "d2-core";
import { joinedClauses, shown } from "./words-lists.js";
import { bytes, itemsOf, type Operands, oneOf, operandsOf, typeWords } from "./words-operators.js";

// What rules with an action do, and when: the table in section 7 of the language. An action fires when any operator says so.

/** What a rule with an action does: `` `email` is redacted at every depth ``. */
export function actionWords(rule: FieldRule): string {
  const { action } = rule;
  const operands = operandsOf(rule);
  const always = operands.size === 0;
  if (action === undefined) return "";
  const subject = subjectOf(rule.path);
  if (neverFires(rule))
    return `the action on ${subject} never fires, since none of its operators ever says so`;
  switch (action) {
    case "filter":
      return `${subject} is removed${when(rule, always)}`;
    case "redact":
      return redactWords(rule, operands, always);
    case "truncate":
      return truncateWords(rule, operands);
    case "deny":
      return denyWords(rule, operands, always);
  }
}

/** Whether a rule with an action has operators of which none can ever fire. */
export function neverFires(rule: FieldRule): boolean {
  return rule.operators.length > 0 && rule.action !== "truncate" && firing(operandsOf(rule)).length === 0;
}

/** What the sentences about rules leave out, to be said once below them. */
export function ruleNotes(rules: readonly FieldRule[]): readonly string[] {
  const acting = rules.filter(({ action }) => action !== undefined);
  const uses = new Set(acting.flatMap(({ operators }) => operators.map(({ name }) => name)));
  const notes: string[] = [];
  if (TEXT_OPERATORS.some((name) => uses.has(name))) {
    notes.push("an action that looks at text tries each string in a list or mapping, and acts on that alone");
  }
  if (uses.has("matches")) {
    notes.push(
      "an action with `matches` also tries a number by its decimal text, and acts on the whole number",
    );
  }
  if (rules.some(({ operators }) => operators.some(({ name }) => NULL_AS_ABSENT.includes(name)))) {
    notes.push("`type`, `minLength`, `maxLength` and `max_bytes` take null for absent");
  }
  return notes;
}

const NULL_AS_ABSENT: readonly OperatorName[] = ["type", "minLength", "maxLength", "max_bytes"];
const TEXT_OPERATORS: readonly OperatorName[] = ["matches", "contains", "startsWith", "endsWith"];

/** A one-name path reaches its key at every depth. */
function subjectOf(path: string): string {
  return path === "$" ? "the returned value" : quoted(path);
}

function reachesEverywhere(path: string): boolean {
  return path !== "$" && !path.includes(".");
}

function depth(path: string): string {
  return reachesEverywhere(path) ? " at every depth" : "";
}

function when(rule: FieldRule, always: boolean): string {
  if (always) return depth(rule.path);
  const clauses = firing(operandsOf(rule));
  return `${depth(rule.path)} when it ${joinedClauses(clauses, "or")}`;
}

function redactWords(rule: FieldRule, operands: Operands, always: boolean): string {
  const pattern = operands.get("matches");
  const subject = subjectOf(rule.path);
  if (pattern === undefined) return `${subject} is redacted${when(rule, always)}`;
  const matches = `every match of ${shown(pattern)} in ${subject} is redacted${depth(rule.path)}`;
  const others = firing(new Map([...operands].filter(([name]) => name !== "matches")));
  if (others.length === 0) return matches;
  return `${matches}, and where nothing matches, all of it when it ${joinedClauses(others, "or")}`;
}

/** Whatever else the rule says: what is longer breaks `maxLength` and is cut, and what is not has nothing to cut. */
function truncateWords(rule: FieldRule, operands: Operands): string {
  const length = operands.get("maxLength") ?? null;
  const cut = `${subjectOf(rule.path)} is cut to ${length === 1 ? "1 character or item" : `${shown(length)} characters or items`}${depth(rule.path)}`;
  const texts = new Map([...operands].filter(([name]) => TEXT_OPERATORS.includes(name)));
  if (texts.size === 0) return cut;
  return `${cut}, and so is each string inside a list or mapping there that ${joinedClauses(firing(texts), "or")}`;
}

function denyWords(rule: FieldRule, operands: Operands, always: boolean): string {
  const place = reachesEverywhere(rule.path) ? ", at any depth," : "";
  const subject = subjectOf(rule.path);
  if (always) {
    if (rule.path === "$") return "the output is refused whatever it is";
    return `the output is refused when ${subject} is there${place === "" ? "" : " at any depth"}`;
  }
  const wantsPresence = operands.get("required") === true;
  const clauses = firing(operands);
  const missing =
    wantsPresence && rule.path !== "$"
      ? `, or when ${subject} is missing${place === "" ? "" : " from what is returned"}`
      : "";
  const nothing = wantsPresence && rule.path === "$" ? ", or when nothing is returned" : "";
  const fires = joinedClauses(clauses, "or");
  return `the output is refused when ${subject}${place} ${fires}${missing}${nothing}`;
}

/** When the operators fire on a present value; an action fires when any of them does. */
function firing(operands: Operands): string[] {
  return [...new Set([...operands].flatMap(([name, operand]) => firingClauses(name, operand)))];
}

/** First what the operator is about, then the other kinds of value that it fires on. */
function firingClauses(name: OperatorName, operand: PolicyValue): readonly string[] {
  const value = shown(operand);
  switch (name) {
    case "required":
      return operand === true ? ["is null"] : [];
    case "type":
      return [`is not ${typeWords(operand)}`];
    case "eq":
    case "ne":
      return [`is ${value}`];
    case "in":
      return [`is ${oneOf(operand)}`];
    case "not_in":
      return itemsOf(operand).length === 0 ? [] : [`is ${oneOf(operand)}`];
    case "min":
      return [`is less than ${value}`, "is not a number"];
    case "max":
      return [`is more than ${value}`, "is not a number"];
    case "gt":
      return [`is at most ${value}`, "is not a number"];
    case "lt":
      return [`is at least ${value}`, "is not a number"];
    case "minLength":
      return [`is shorter than ${value}`, "has no length"];
    case "maxLength":
      return [`is longer than ${value}`, "has no length"];
    case "max_bytes":
      return [`takes more than ${bytes(operand)}`];
    case "matches":
      return [`has a match of ${value}`];
    case "not_matches":
      return [`has a match of ${value}`, "is not a string"];
    case "contains":
      return [`contains ${value}`];
    case "not_contains":
      return [`contains ${value}`, "is neither a string nor a list"];
    case "startsWith":
      return [`begins with ${value}`];
    case "endsWith":
      return [`ends with ${value}`];
  }
}

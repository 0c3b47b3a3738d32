import { type FieldRule, OPERATORS, type OperatorName, type PolicyValue, quoted } from "d2-core";
import { joined, joinedClauses, shown } from "./words-lists.js";

// What a value must be: input rules, and output rules without an action.

/** The operators of a rule by name; each stands there once. */
export type Operands = ReadonlyMap<OperatorName, PolicyValue>;

export function operandsOf(rule: FieldRule): Operands {
  return new Map(rule.operators.map(({ name, operand }) => [name, operand]));
}

/** The items of an operand that may be a list. */
export function itemsOf(operand: PolicyValue): readonly PolicyValue[] {
  return Array.isArray(operand) ? operand : [operand];
}

/**
 * What an argument must be: `` `limit` is from 1 to 100 ``, and `` `limit` (if given) … `` where the rule also passes when
 * there is none. `undefined`: the rule asks for nothing.
 */
export function inputRuleWords(rule: FieldRule): string | undefined {
  return ruleClause(rule, quoted(rule.path), "given");
}

/** What a field of the output must be; else the output is refused. */
export function validationWords(rule: FieldRule): string | undefined {
  const subject = rule.path === "$" ? "the returned value" : quoted(rule.path);
  const clause = ruleClause(rule, subject, "present");
  return clause === undefined ? undefined : `the output is refused unless ${clause}`;
}

function ruleClause(rule: FieldRule, subject: string, present: "given" | "present"): string | undefined {
  const operands = operandsOf(rule);
  const demands = predicates(operands);
  if (operands.get("required") !== true) {
    return demands.length === 0 ? undefined : `${subject} (if ${present}) ${joinedClauses(demands, "and")}`;
  }
  // Where another operator refuses null anyway, that the value must be there goes without saying.
  if (demands.length > 0 && refusesNull(rule)) return `${subject} ${joinedClauses(demands, "and")}`;
  return `${subject} ${joinedClauses([`is ${present}, not as null`, ...demands], "and")}`;
}

function refusesNull(rule: FieldRule): boolean {
  return rule.operators.some(({ name, operand }) => {
    if (name === "required") return false;
    return OPERATORS.get(name)?.bind(operand).holds(null) === false;
  });
}

/** Each operator as a verb and what follows: `is from 1 to 10`, `begins with "a"`. */
export function predicates(operands: Operands): string[] {
  return [
    ...kind(operands),
    ...told(operands, "eq", (operand) => `is ${shown(operand)}`),
    ...told(operands, "ne", (operand) => `is not ${shown(operand)}`),
    ...told(operands, "in", (operand) => `is ${oneOf(operand)}`),
    ...told(operands, "not_in", notIn),
    ...told(operands, "max_bytes", (operand) => `takes at most ${bytes(operand)}`),
    ...told(operands, "matches", (operand) => `matches ${shown(operand)} as a whole`),
    ...told(operands, "not_matches", (operand) => `is a string in which ${shown(operand)} is not found`),
    ...told(operands, "contains", (operand) => `contains ${shown(operand)}`),
    ...told(operands, "not_contains", (operand) => `does not contain ${shown(operand)}`),
    ...told(operands, "startsWith", (operand) => `begins with ${shown(operand)}`),
    ...told(operands, "endsWith", (operand) => `ends with ${shown(operand)}`),
  ].filter((text) => text !== "");
}

function told(
  operands: Operands,
  name: OperatorName,
  words: (operand: PolicyValue) => string,
): readonly string[] {
  const operand = operands.get(name);
  return operand === undefined ? [] : [words(operand)];
}

/** `"a"`, or `one of "a", "b" or "c"`. */
export function oneOf(operand: PolicyValue): string {
  const items = itemsOf(operand).map(shown);
  return items.length === 1 ? joined(items, "or") : `one of ${joined(items, "or")}`;
}

function notIn(operand: PolicyValue): string {
  const items = itemsOf(operand).map(shown);
  if (items.length === 0) return "";
  return items.length === 1 ? `is not ${joined(items, "or")}` : `is none of ${joined(items, "or")}`;
}

export function bytes(operand: PolicyValue): string {
  return operand === 1 ? "1 byte" : `${shown(operand)} bytes`;
}

/** Type, bounds and length, which make one phrase where they are about the same kind of value. */
function kind(operands: Operands): string[] {
  const type = operands.get("type");
  const noun = type === undefined ? undefined : typeWords(type);
  const range = bounds(operands);
  const length = lengths(operands);
  const unit = type === undefined ? undefined : unitOf(type);
  const numeric = type !== undefined && itemsOf(type).every((name) => NUMBERS.has(name));
  if (noun !== undefined && numeric && range.length > 0) {
    return [`is ${noun} ${joined(range, "and")}`, ...length.map((text) => `has a length of ${text}`)];
  }
  const ranged = range.length === 0 ? [] : [`is ${joined(range, "and")}`];
  if (noun !== undefined && unit !== undefined && length.length > 0) {
    const [extent = ""] = length;
    return [`is ${noun} of ${extent} ${/(^| )1$/.test(extent) ? unit.one : unit.many}`, ...ranged];
  }
  return [
    ...(noun === undefined ? [] : [`is ${noun}`]),
    ...ranged,
    ...length.map((text) => `has a length of ${text}`),
  ];
}

const NUMBERS: ReadonlySet<PolicyValue> = new Set(["int", "float", "number"]);

/** `from 1 to 10`, `at least 1`, `more than 1`. */
function bounds(operands: Operands): string[] {
  const [min, max, gt, lt] = (["min", "max", "gt", "lt"] as const).map((name) => operands.get(name));
  const range: string[] = [];
  if (min !== undefined && max !== undefined) {
    range.push(min === max ? `exactly ${shown(min)}` : `from ${shown(min)} to ${shown(max)}`);
  } else if (min !== undefined) range.push(`at least ${shown(min)}`);
  if (gt !== undefined) range.push(`more than ${shown(gt)}`);
  if (max !== undefined && min === undefined) range.push(`at most ${shown(max)}`);
  if (lt !== undefined) range.push(`less than ${shown(lt)}`);
  return range;
}

/** At most one phrase: `1 to 10`, `at least 1`, `exactly 3`. */
function lengths(operands: Operands): string[] {
  const min = operands.get("minLength");
  const max = operands.get("maxLength");
  if (min !== undefined && max !== undefined) {
    return [min === max ? `exactly ${shown(min)}` : `${shown(min)} to ${shown(max)}`];
  }
  if (min !== undefined) return [`at least ${shown(min)}`];
  return max === undefined ? [] : [`at most ${shown(max)}`];
}

interface Unit {
  readonly one: string;
  readonly many: string;
}

function unitOf(type: PolicyValue): Unit | undefined {
  const units = new Set(itemsOf(type).map((name) => UNITS.get(name)));
  const [unit] = units;
  return units.size === 1 ? unit : undefined;
}

const CHARACTERS: Unit = { one: "character", many: "characters" };
const ITEMS: Unit = { one: "item", many: "items" };
const ENTRIES: Unit = { one: "entry", many: "entries" };

const UNITS: ReadonlyMap<PolicyValue, Unit> = new Map([
  ["string", CHARACTERS],
  ["str", CHARACTERS],
  ["list", ITEMS],
  ["array", ITEMS],
  ["tuple", ITEMS],
  ["set", ITEMS],
  ["dict", ENTRIES],
  ["object", ENTRIES],
]);

/** `an integer`, `a string or null`. */
export function typeWords(type: PolicyValue): string {
  const names = itemsOf(type).map((name) => TYPES.get(name) ?? shown(name));
  return joined([...new Set(names)], "or");
}

const TYPES: ReadonlyMap<PolicyValue, string> = new Map([
  ["int", "an integer"],
  ["float", "a number"],
  ["number", "a number"],
  ["string", "a string"],
  ["str", "a string"],
  ["bool", "a boolean"],
  ["boolean", "a boolean"],
  ["list", "a list"],
  ["array", "a list"],
  ["tuple", "a list"],
  ["dict", "a mapping"],
  ["object", "a mapping"],
  ["set", "a set"],
  ["null", "null"],
  ["none", "null"],
]);

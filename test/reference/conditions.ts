/** Sections 6 to 8 of the policy language on plain JSON values, one rule after the other, each by one plain walk. */
import { isDeepStrictEqual as equal } from "node:util";
import { RE2JS } from "re2js";
import { listOf, type Naming, type Rule, type Verdict } from "./authored.js";

type Rules = Readonly<Record<string, unknown>>;
type Violations = NonNullable<Verdict["violations"]>;

const NOT_ENTERED = Symbol("the way ends before the path does");
const REMOVED = Symbol("removed");
const LACKING = Symbol("an item that lacks the value");
const REDACTED = "[REDACTED]";
const TEXT = ["matches", "contains", "startsWith", "endsWith"];

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const compiled = new Map<unknown, RE2JS>();
function pattern(source: unknown): RE2JS {
  const made = compiled.get(source) ?? RE2JS.compile(String(source));
  compiled.set(source, made);
  return made;
}
const found = (source: unknown, text: string) => pattern(source).matcher(text).find();

function kindsOf(value: unknown): string[] {
  if (Array.isArray(value)) return ["list", "array", "tuple"];
  if (isMapping(value)) return ["dict", "object"];
  if (typeof value === "string") return ["string", "str"];
  if (typeof value === "boolean") return ["bool", "boolean"];
  return Number.isFinite(value) ? ["number", "float", Number.isInteger(value) ? "int" : "number"] : [];
}
function lengthOf(value: unknown): number {
  if (typeof value === "string") return [...value].length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : Number.NaN;
}
/** UTF-8 bytes of the compact JSON: infinitely many where there is none. */
function bytesOf(value: unknown): number {
  let lost = false;
  const text = JSON.stringify(value, (_, item) => {
    lost ||= typeof item === "number" && !Number.isFinite(item);
    return item;
  });
  return lost ? Number.POSITIVE_INFINITY : Buffer.byteLength(text);
}
/** A number in decimal digits, without an exponent. */
const decimal = (value: number) =>
  /e/.test(`${value}`)
    ? value.toLocaleString("en", { useGrouping: false, maximumSignificantDigits: 21 })
    : `${value}`;

type Holds = (value: unknown, operand: unknown) => boolean;
const number = (value: unknown) => (typeof value === "number" ? value : Number.NaN);
const onText = (test: (text: string, operand: string) => boolean): Holds => {
  return (value, operand) => typeof value === "string" && test(value, String(operand));
};
const isOneOf: Holds = (value, operand) => listOf(operand).some((item) => equal(item, value));
const has = (value: unknown, operand: unknown): boolean | undefined =>
  Array.isArray(value)
    ? isOneOf(operand, value)
    : typeof value === "string"
      ? value.includes(String(operand))
      : undefined;
const HOLDS: Readonly<Record<string, Holds>> = {
  required: (value, operand) => operand === false || (value !== undefined && value !== null),
  type: (value, operand) => value === null || kindsOf(value).some((kind) => listOf(operand).includes(kind)),
  eq: equal,
  ne: (value, operand) => !equal(value, operand),
  in: isOneOf,
  not_in: (value, operand) => !isOneOf(value, operand),
  min: (value, operand) => number(value) >= Number(operand),
  max: (value, operand) => number(value) <= Number(operand),
  gt: (value, operand) => number(value) > Number(operand),
  lt: (value, operand) => number(value) < Number(operand),
  minLength: (value, operand) => value === null || lengthOf(value) >= Number(operand),
  maxLength: (value, operand) => value === null || lengthOf(value) <= Number(operand),
  max_bytes: (value, operand) =>
    value === null ||
    (typeof value === "string" ? Buffer.byteLength(value) : bytesOf(value)) <= Number(operand),
  matches: onText((text, operand) => pattern(operand).matches(text)),
  not_matches: onText((text, operand) => !found(operand, text)),
  contains: (value, operand) => has(value, operand) === true,
  not_contains: (value, operand) => has(value, operand) === false,
  startsWith: onText((text, operand) => text.startsWith(operand)),
  endsWith: onText((text, operand) => text.endsWith(operand)),
};
/** Whether an operator holds; an absent value passes everything but `required`. */
function holds(operator: string, value: unknown, operand: unknown): boolean {
  const test = HOLDS[operator];
  if (test === undefined) throw new Error(`the reference does not know the operator \`${operator}\``);
  return (value === undefined && operator !== "required") || test(value, operand);
}
const brokenBy = (value: unknown, rule: Rule) =>
  Object.entries(rule).filter(([operator, operand]) => !holds(operator, value, operand));

/** All values that a path reaches; `undefined` where nothing is. */
function reach(value: unknown, path: readonly string[]): unknown[] {
  if (path.length === 0 || value === undefined) return [value];
  // Every item must satisfy a rule: one that lacks the value lacks it, whatever else the path may mean.
  if (Array.isArray(value))
    return value.flatMap((item) => reach(item, path)).map((item) => (item === undefined ? LACKING : item));
  if (!isMapping(value)) return [NOT_ENTERED];
  // `a.b` is the key `b` inside `a`, and the key `a.b`: nothing is there only where neither way finds anything.
  const ways = path.map((_, at) => {
    const key = path.slice(0, at + 1).join(".");
    return Object.hasOwn(value, key) ? reach(value[key], path.slice(at + 1)) : [undefined];
  });
  const there = ways.filter((way) => way.length === 0 || way.some((item) => item !== undefined));
  return there.length === 0 ? [undefined] : there.flat();
}
/** For an output: `$` is the returned value, and what cannot be entered holds nothing. */
const outputPath = (path: string) => (path === "$" ? [] : path.split("."));
/** Whether a field is there: in every item of every list on the way, by one of the ways to read the path. */
const isThere = (value: unknown, path: readonly string[]): boolean => {
  if (path.length === 0 || value === undefined) return value !== undefined;
  if (Array.isArray(value)) return value.every((item) => isThere(item, path));
  const cut = (at: number) => [path.slice(0, at + 1).join("."), path.slice(at + 1)] as const;
  const ways = isMapping(value) ? path.map((_, at) => cut(at)) : [];
  return ways.some(
    ([key, rest]) => isMapping(value) && Object.hasOwn(value, key) && isThere(value[key], rest),
  );
};
const reachOutput = (value: unknown, path: string) => {
  const found = reach(value, outputPath(path)).filter(
    (item) => item !== NOT_ENTERED && item !== LACKING && item !== undefined,
  );
  return isThere(value, outputPath(path)) ? found : [...found, undefined];
};

/** Violations of the input rules; `exact`: the rule stands on the exact tool id. */
export function inputViolations(
  rules: readonly { readonly path: string; readonly rule: Rule; readonly exact: boolean }[],
  args: Rules | undefined,
  { names, beyond }: Naming,
): Violations {
  if (rules.length === 0) return [];
  if (args === undefined || beyond) return [{ path: "", operator: "unnamed" }];
  return rules.flatMap(({ path, rule, exact }) => {
    const known = names === undefined || names.some((name) => path === name || path.startsWith(`${name}.`));
    if (exact && !known) return [{ path, operator: "unnamed" }];
    return reach(args, path.split(".")).flatMap((value): Violations => {
      if (value === NOT_ENTERED) return Object.keys(rule).map((operator) => ({ path, operator }));
      return brokenBy(value === LACKING ? undefined : value, rule).map(([operator, operand]) => ({
        path,
        operator,
        operand,
      }));
    });
  });
}

/** The value after one rule with an action: every place that the path reaches is judged by itself, from above. */
function transform(root: unknown, path: string, rule: Rule): { value: unknown; denied: boolean } {
  const { action, ...operators } = rule;
  const { required, matches, maxLength } = operators;
  const all = Object.entries(operators);
  const start = outputPath(path);
  let denied = action === "deny" && required === true && reachOutput(root, path).includes(undefined);

  /** `here`: the path reaches the value itself, so operators other than those on text look at it too. */
  const fires = (value: unknown, here: boolean) => {
    const text = typeof value === "number" ? decimal(value) : value;
    const says = ([operator, operand]: [string, unknown]) => {
      if (operator === "matches") return typeof text === "string" && found(operand, text);
      if (TEXT.includes(operator)) return typeof value === "string" && holds(operator, value, operand);
      return here && ["eq", "in"].includes(operator) === holds(operator, value, operand);
    };
    return (here && all.length === 0) || all.some(says);
  };
  const matchesWithin = (value: unknown): boolean => {
    if (typeof value === "object" && value !== null) return Object.values(value).some(matchesWithin);
    const text = typeof value === "number" ? decimal(value) : value;
    return matches !== undefined && typeof text === "string" && found(matches, text);
  };
  const act = (value: unknown): unknown => {
    if (action === "filter") return REMOVED;
    if (action === "deny") denied = true;
    if (action === "truncate" && typeof value === "string")
      return [...value].slice(0, Number(maxLength)).join("");
    if (action === "truncate" && Array.isArray(value)) return value.slice(0, Number(maxLength));
    if (action !== "redact") return value;
    // A list or mapping in which something matches: the matches are what is replaced.
    if (typeof value === "object" && matchesWithin(value)) return value;
    const partly = typeof value === "string" && matches !== undefined && found(matches, value);
    return partly ? pattern(matches).matcher(value).replaceAll(REDACTED) : REDACTED;
  };
  const kept = (item: unknown) => item !== REMOVED;
  /** Every string and number inside a list or mapping that the path reaches, each by itself. */
  const inside = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inside).filter(kept);
    if (!isMapping(value)) return fires(value, false) ? act(value) : value;
    const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, inside(item)]);
    return Object.fromEntries(entries.filter(([, item]) => kept(item)));
  };
  /** `ways`: what is left of the path here, by each way to read it. Outer places come before the ones inside them. */
  const visit = (given: unknown, ways: readonly (readonly string[])[]): unknown => {
    const here = ways.some((way) => way.length === 0);
    const acted = here && fires(given, true) ? act(given) : given;
    const value = here && typeof acted === "object" ? inside(acted) : acted;
    const onward = ways.filter((way) => way.length > 0);
    if (Array.isArray(value)) return value.map((item) => visit(item, onward)).filter(kept);
    if (!isMapping(value)) return value;
    const entries = Object.entries(value).map(([key, item]): [string, unknown] => {
      const left = onward.flatMap((way) =>
        way.flatMap((_, at) => (way.slice(0, at + 1).join(".") === key ? [way.slice(at + 1)] : [])),
      );
      // A one-name path reaches its key at every depth.
      return [key, visit(item, start.length === 1 ? [start, ...left] : left)];
    });
    return Object.fromEntries(entries.filter(([, item]) => kept(item)));
  };
  return { value: visit(root, [start]), denied };
}

/** Whether a value breaks a global rule of section 8. */
export function globalHit(outputs: readonly Rules[], value: unknown): boolean {
  const keys: string[] = [];
  const texts: string[] = [];
  JSON.stringify([value], function (this: unknown, key, item) {
    if (isMapping(this) && key !== "") keys.push(key);
    if (typeof item === "string") texts.push(item);
    if (typeof item === "number") texts.push(decimal(item));
    return item;
  });
  const anywhere = (source: unknown) => [...texts, ...keys].some((text) => found(source, text));
  return outputs.some(
    ({ deny_if_patterns: patterns, require_fields_absent: absent, max_bytes: most }) =>
      listOf(patterns).some(anywhere) ||
      listOf(absent).some((name) => keys.some((key) => key === name)) ||
      (most !== undefined && bytesOf(value) > Number(most)),
  );
}

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 1;

/** Section 7: validates, transforms, and asks the global rules. `outputs` are in document order. */
export function release(
  outputs: readonly Rules[],
  returned: unknown,
): { value: unknown } | { reason: string } {
  const rules = outputs.flatMap((output) => Object.entries(output));
  if (rules.length > 0 && depthOf(returned) > 128) return { reason: "output_validation" };
  let value = returned;
  for (const [path, rule] of rules)
    if (isMapping(rule) && !("action" in rule))
      if (reachOutput(returned, path).some((reached) => brokenBy(reached, rule).length > 0))
        return { reason: "output_validation" };
  for (const [path, rule] of rules)
    if (isMapping(rule) && "action" in rule) {
      const transformed = transform(value, path, rule);
      if (transformed.denied) return { reason: "output_sanitization" };
      value = transformed.value;
    }
  return globalHit(outputs, value) ? { reason: "output_sanitization" } : { value };
}

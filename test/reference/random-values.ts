/** Random JSON values, and random rules about them: small alphabets, so that rules really meet values. */
import type { AuthoredPermission, AuthoredPolicy, Ending, Rule } from "./authored.js";
import type { Dice } from "./dice.js";
import type { Case, Event } from "./script.js";

const KEYS = ["a", "b", "c", "a.b", "list"];
const NAMES = ["a", "b", "c", "list"];
const PATHS = ["a", "b", "c", "list", "a.b", "b.a", "list.a", "list.b", "a.b.c"];
const STRINGS = [
  "",
  "a",
  "b",
  "abc",
  "aab",
  "secret",
  "a Secret b",
  "12",
  "123-45-6789",
  "é",
  "😀😀",
  "x\ny",
];
const NUMBERS = [0, 1, 2, -1, 1.5, 5, 12, 100, 12345, 1e21, 1.5e-7];
/** None of them matches the empty string, which `redact` does not take. */
const PATTERNS = [
  "secret",
  "(?i)secret",
  "a+",
  "^a+$",
  "a|ab",
  "[a-z]+",
  "\\d",
  "\\d{3}-\\d{2}-\\d{4}",
  "^.$",
  "b$",
  "(a|b)+c?",
  "^-",
  "[A-Z]{2}",
];
const TYPES = [
  "int",
  "float",
  "number",
  "string",
  "str",
  "bool",
  "boolean",
  "list",
  "array",
  "dict",
  "object",
];

function scalar(dice: Dice): unknown {
  return dice.weighted<() => unknown>([
    [6, () => dice.pick(STRINGS)],
    [4, () => dice.pick(NUMBERS)],
    [1, () => dice.chance(0.5)],
    [1, () => null],
  ])();
}

/** A JSON value, nested at most `depth` deep. */
export function randomValue(dice: Dice, depth: number): unknown {
  if (depth === 0 || dice.chance(0.25)) return scalar(dice);
  if (dice.chance(0.35)) return dice.some(dice.between(0, 3), () => randomValue(dice, depth - 1));
  const keys = KEYS.filter((key) => dice.chance(key === "a.b" ? 0.15 : 0.5));
  return Object.fromEntries(keys.map((key) => [key, randomValue(dice, depth - 1)]));
}

type Draw = (dice: Dice) => Record<string, unknown>;
/** One operator, or two that limit each other, with operands that loading accepts. */
const OPERATORS: readonly Draw[] = [
  () => ({ required: true }),
  (dice) => ({
    type: dice.chance(0.6) ? dice.pick(TYPES) : dice.some(2, () => dice.pick([...TYPES, "null"])),
  }),
  (dice) => ({ [dice.pick(["eq", "ne"])]: randomValue(dice, 1) }),
  (dice) => ({ [dice.pick(["in", "not_in"])]: dice.some(dice.between(1, 4), () => scalar(dice)) }),
  (dice) => ({ [dice.pick(["in", "not_in"])]: dice.pick(STRINGS) }),
  (dice) => ({ [dice.pick(["min", "max", "gt", "lt"])]: dice.pick(NUMBERS) }),
  (dice) => {
    const min = dice.pick(NUMBERS);
    return { min, max: min + dice.between(0, 10) };
  },
  (dice) => ({ [dice.pick(["minLength", "maxLength"])]: dice.between(0, 4) }),
  (dice) => {
    const minLength = dice.between(0, 2);
    return { minLength, maxLength: minLength + dice.between(0, 3) };
  },
  (dice) => ({ max_bytes: dice.between(1, 20) }),
  (dice) => ({ [dice.pick(["matches", "not_matches"])]: dice.pick(PATTERNS) }),
  (dice) => ({ matches: dice.pick(PATTERNS) }),
  (dice) => ({ [dice.pick(["contains", "not_contains"])]: dice.pick(STRINGS) }),
  (dice) => ({ [dice.pick(["startsWith", "endsWith"])]: dice.pick(["a", "b", "", "sec"]) }),
];

function operators(dice: Dice, count: number): Record<string, unknown> {
  const drawn = dice.some(count, () => dice.pick(OPERATORS)(dice));
  const merged: Record<string, unknown> = Object.assign({}, ...drawn);
  const tooHigh = (low: unknown, high: unknown) =>
    low !== undefined && high !== undefined && Number(low) > Number(high);
  // Two draws may contradict each other, which loading refuses.
  if (tooHigh(merged["min"], merged["max"])) delete merged["min"];
  if (tooHigh(merged["minLength"], merged["maxLength"])) delete merged["minLength"];
  return merged;
}

function inputRules(dice: Dice): Record<string, Rule> {
  const paths = dice.some(dice.between(0, 2), () => dice.pick(PATHS));
  return Object.fromEntries(paths.map((path) => [path, operators(dice, dice.between(1, 2))]));
}

function actionRule(dice: Dice, path: string): Rule {
  const action = dice.weighted([
    [path === "$" ? 0 : 3, "filter"],
    [4, "redact"],
    [2, "truncate"],
    [1, "deny"],
  ]);
  const rule = {
    ...operators(
      dice,
      dice.weighted([
        [2, 0],
        [5, 1],
        [2, 2],
      ]),
    ),
    action,
  };
  return action === "truncate" ? { maxLength: dice.between(0, 3), ...rule, minLength: 0 } : rule;
}

function outputRules(dice: Dice): Readonly<Record<string, unknown>> {
  const rules: [string, unknown][] = [];
  const checks = dice.weighted([
    [6, 0],
    [2, 1],
    [1, 2],
  ]);
  for (let count = 0; count < checks; count++) rules.push([dice.pick([...PATHS, "$"]), operators(dice, 1)]);
  const actions = dice.between(0, 3);
  for (let count = 0; count < actions; count++) {
    const path = dice.weighted([
      [5, dice.pick(NAMES)],
      [5, dice.pick(PATHS)],
      [1, "$"],
    ]);
    rules.push([path, actionRule(dice, path)]);
  }
  if (dice.chance(0.15))
    rules.push(["deny_if_patterns", dice.some(dice.between(1, 2), () => dice.pick(PATTERNS))]);
  if (dice.chance(0.15))
    rules.push(["require_fields_absent", dice.chance(0.5) ? dice.pick(NAMES) : ["zz", "c"]]);
  if (dice.chance(0.15)) rules.push(["max_bytes", dice.between(2, 60)]);
  return Object.fromEntries(rules);
}

/** A case about arguments and outputs: several roles whose rules on one tool apply together. */
export function conditionsCase(seed: number, dice: Dice): Case {
  const tools = ["t.a", "t.a", "t.b"];
  const permission = (): AuthoredPermission => ({
    [dice.pick(["tool", "id"])]: dice.pick([...tools, ...tools, "t.*", "*", "@g"]),
    conditions: {
      ...(dice.chance(0.5) ? { input: inputRules(dice) } : {}),
      ...(dice.chance(0.8) ? { output: outputRules(dice) } : {}),
    },
  });
  const policy: AuthoredPolicy = {
    metadata: { name: "random", tool_groups: { g: ["t.a", "t.c"] } },
    policies: [
      ...(dice.chance(0.8) ? [{ role: "r0", permissions: ["t.*"] }] : []),
      ...dice.some(dice.between(1, 3), () => ({
        role: dice.part(["r0", "r1", "r2"], 0.5),
        permissions: dice.some(dice.between(1, 2), permission),
      })),
    ],
  };
  // What the byte limit counts of an error is not laid down, so that errors are thrown only where there is none.
  const throwing = JSON.stringify(policy).includes('"max_bytes"') ? 0 : 0.1;
  const script: Event[] = [];
  for (let id = 0; id < 4; id++) {
    const args = Object.fromEntries(
      KEYS.filter(() => dice.chance(0.5)).map((key) => [key, randomValue(dice, 2)]),
    );
    const ending: Ending = dice.chance(throwing)
      ? { threw: { name: "Error", message: `a failure: ${dice.pick(STRINGS)}` } }
      : { returned: randomValue(dice, 4) };
    script.push({ do: "start", id, session: 0, tool: dice.pick(tools), args, parent: null });
    script.push({ do: "end", call: id, ending });
  }
  return { seed, policy, user: { id: "u", roles: dice.part(["r0", "r1", "r2"], 0.7) }, script };
}

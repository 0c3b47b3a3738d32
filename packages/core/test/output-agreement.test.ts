import { inspect, isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ActionName, OperatorName, PolicyValue } from "../src/document/document.js";
import { operatorOf } from "../src/operators/operators.js";
import { counted } from "../src/output/counted.js";
import { releaseValue } from "../src/output/release-value.js";
import { frozen, planOf } from "./output-planning.js";

// One act after the other, each through the whole value, written for being plainly right.

type Mapping = Readonly<Record<string, unknown>>;
interface Rule {
  readonly path: string;
  readonly action: ActionName;
  readonly operators: Readonly<Partial<Record<OperatorName, PolicyValue>>>;
}

const REMOVED = Symbol("removed");
const TEXT: readonly string[] = ["matches", "contains", "startsWith", "endsWith"];
class Refused extends Error {}

const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function mapped(value: Mapping, change: (key: string, entry: unknown) => unknown): Mapping {
  const entries = Object.entries(value).map(([key, entry]) => [key, change(key, entry)] as const);
  return Object.fromEntries(entries.filter(([, entry]) => entry !== REMOVED));
}

function inTurn(rule: Rule, root: unknown): unknown {
  const { path, action, operators } = rule;
  const uses = Object.entries(operators) as [OperatorName, PolicyValue][];
  const fires = (value: unknown, among: (name: string) => boolean) =>
    uses.some(([name, operand]) => among(name) && operatorOf(name).bind(operand).fires(value));
  const isText = (name: string) => TEXT.includes(name);

  const onLeaf = (value: unknown, among: (name: string) => boolean): unknown => {
    if (uses.length > 0 && !fires(value, among)) return value;
    if (action === "filter") return REMOVED;
    if (action === "deny") throw new Refused();
    if (action === "truncate") {
      return typeof value === "string" ? [...value].slice(0, Number(operators.maxLength)).join("") : value;
    }
    const { matches } = operators;
    if (typeof value !== "string" || matches === undefined || !fires(value, (name) => name === "matches")) {
      return "[REDACTED]";
    }
    return value.replace(new RegExp(String(matches), "gu"), "[REDACTED]");
  };
  const onTexts = (value: unknown): unknown => {
    if (value === undefined || value === null) return value;
    if (Array.isArray(value)) return value.map(onTexts).filter((item) => item !== REMOVED);
    if (isMapping(value)) return mapped(value, (_, entry) => onTexts(entry));
    return fires(value, isText) ? onLeaf(value, isText) : value;
  };
  const hasMatch = (value: unknown): boolean =>
    typeof value === "object" && value !== null
      ? Object.values(value).some(hasMatch)
      : value !== undefined && fires(value, (name) => name === "matches");
  const onValue = (value: unknown): unknown => {
    if (value === undefined) return value;
    if (typeof value !== "object" || value === null) return onLeaf(value, () => true);
    let current: unknown = value;
    if (uses.length === 0 || fires(value, (name) => !isText(name))) {
      if (action === "filter") return REMOVED;
      if (action === "deny") throw new Refused();
      if (action === "redact" && !hasMatch(value)) return "[REDACTED]";
      if (action === "truncate" && Array.isArray(value))
        current = value.slice(0, operators.maxLength as number);
    }
    return onTexts(current);
  };
  const inside = (value: unknown, rests: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((item) => inside(item, rests));
    if (!isMapping(value)) return value;
    return mapped(value, (key, entry) => {
      const here = rests.includes(key) || (path === key && !path.includes("."));
      const next = here ? onValue(entry) : entry;
      return inside(
        next,
        rests.filter((rest) => rest.startsWith(`${key}.`)).map((rest) => rest.slice(key.length + 1)),
      );
    });
  };
  const isThere = (value: unknown, rest: string): boolean => {
    if (Array.isArray(value)) return value.every((item) => isThere(item, rest));
    if (!isMapping(value)) return false;
    return Object.entries(value).some(
      ([key, entry]) =>
        (key === rest && entry !== undefined) ||
        (rest.startsWith(`${key}.`) && isThere(entry, rest.slice(key.length + 1))),
    );
  };
  if (path === "$") {
    if (root === undefined && action === "deny" && operators.required === true) throw new Refused();
    return onValue(root);
  }
  if (action === "deny" && operators.required === true && !isThere(root, path)) throw new Refused();
  return inside(root, [path]);
}

type Outcome = { value: unknown; transforms: unknown } | { refusedBy: number };

function oneAfterTheOther(rules: readonly Rule[], root: unknown): Outcome {
  let value = root;
  const transforms: { path: string; action: ActionName }[] = [];
  for (const [index, rule] of rules.entries()) {
    try {
      const next = inTurn(rule, value);
      if (!isDeepStrictEqual(next, value)) transforms.push({ path: rule.path, action: rule.action });
      value = next;
    } catch (error) {
      if (error instanceof Refused) return { refusedBy: index };
      throw error;
    }
  }
  return { value, transforms };
}

const keys = fc.constantFrom("a", "b", "c", "d", "a.b", "b.c", "__proto__", "constructor");
const texts = fc.constantFrom(
  "",
  "x",
  "secret",
  "a secret x",
  "😀😀x",
  "abcdef",
  "\ud83d",
  "[REDACTED]",
  "12",
);
const leaf = fc.oneof(
  texts,
  texts,
  fc.constantFrom<unknown>(0, -1, 12, 150, 1.5, null, true, undefined, Number.NaN, 12n),
);
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 5 },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .array(fc.tuple(keys, tie("value")), { maxLength: 5 })
      .map((entries) => Object.fromEntries(entries) as unknown),
  ),
})).value;

const operators = fc.record(
  {
    required: fc.constant(true),
    type: fc.constantFrom("string", "list", "dict", "int"),
    eq: fc.constantFrom<PolicyValue>("x", 12, ["x"], { a: "x" }),
    not_in: fc.constant(["secret", 150]),
    max: fc.constantFrom(1, 100),
    minLength: fc.constant(1),
    maxLength: fc.constantFrom(1, 3),
    max_bytes: fc.constantFrom(2, 30),
    matches: fc.constantFrom("x", "sec(ret)?", "1", "RED"),
    not_matches: fc.constant("secret"),
    contains: fc.constantFrom("x", "ab"),
    startsWith: fc.constantFrom("a", "😀"),
    endsWith: fc.constantFrom("x", "t"),
  },
  { requiredKeys: [] },
);
const few = operators.map((all) => Object.fromEntries(Object.entries(all).slice(0, 2)));
const rule: fc.Arbitrary<Rule> = fc
  .record({
    path: fc.constantFrom("a", "a", "b", "b", "c", "d", "a.b", "b.c", "a.b.c", "a.a", "$", "__proto__"),
    action: fc.constantFrom<ActionName>("filter", "filter", "redact", "redact", "truncate", "deny"),
    operators: fc.oneof(
      fc.constant({}),
      few,
      operators.filter((all) => Object.keys(all).length > 0),
      few,
    ),
  })
  .map(({ path, action, operators: chosen }): Rule => {
    if (action === "truncate") return { path, action, operators: { ...chosen, maxLength: 1 } };
    if (path === "$" && action === "filter") return { path, action: "redact", operators: chosen };
    return { path, action, operators: chosen };
  });
// Few rules deny without condition, or most runs would end in a refusal.
const rules = fc.array(
  rule.filter(({ action, operators: chosen }) => action !== "deny" || Object.keys(chosen).length > 0),
  { minLength: 1, maxLength: 6 },
);

function planFor(list: readonly Rule[]) {
  return planOf(...list.map(({ path, action, operators: chosen }) => ({ [path]: { ...chosen, action } })));
}

/** The same value with maps for some mappings and sets for some lists. */
function disguised(value: unknown, turn: { at: number }): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => disguised(item, turn));
    return ++turn.at % 2 === 0 && new Set(items).size === items.length ? new Set(items) : items;
  }
  if (!isMapping(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, disguised(item, turn)] as const);
  return ++turn.at % 3 === 0 ? new Map(entries) : Object.fromEntries(entries);
}

/** Deep equality that sees own `__proto__` keys, which the matchers of the test runner do not. */
function expectSame(one: unknown, other: unknown): void {
  if (!isDeepStrictEqual(one, other))
    throw new Error(`${inspect(one, SHOWN)} is not ${inspect(other, SHOWN)}`);
}
const SHOWN = { depth: 20 };

describe("acts done together", () => {
  it("come to the same as one after the other, and leave the value and what nothing fired on alone", () => {
    fc.assert(
      fc.property(rules, values, (list, value) => {
        const plan = planFor(list);
        const expected = oneAfterTheOther(list, value);
        const verdict = releaseValue(plan, frozen(value));
        if ("refusedBy" in expected) {
          expect(verdict).toMatchObject({
            ok: false,
            reason: "output_sanitization",
            rule: plan.acts[expected.refusedBy]?.rule,
          });
          return;
        }
        expectSame(verdict, { ok: true, ...expected });
        if (verdict.ok && verdict.transforms.length === 0) expect(verdict.value).toBe(value);
      }),
      { numRuns: 4000 },
    );
  });

  it("come to the same on maps and sets as on the mappings and lists that they count as", () => {
    fc.assert(
      fc.property(rules, values, (list, value) => {
        const plan = planFor(list);
        const plain = releaseValue(plan, value);
        const other = releaseValue(plan, disguised(value, { at: 0 }));
        expectSame(other.ok ? { ...other, value: counted(other.value) } : other, plain);
      }),
      { numRuns: 1000 },
    );
  });
});

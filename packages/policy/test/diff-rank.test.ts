import { compilePlan, decideCall, decideRelease, parameterNames, Session } from "d2-core";
import { loadPolicy } from "d2-policy";
import { diffPolicies } from "d2-policy/diff";
import { describe, expect, it } from "vitest";

/** A policy with these conditions on the only tool, and its plan. */
function policyWith(conditions: object, reference = "t.a") {
  const policy = loadPolicy(
    { policies: [{ role: "r", permissions: [{ tool: reference, conditions }] }] },
    { now: 0 },
  );
  return { policy, plan: compilePlan(policy.document), words: JSON.stringify(conditions) };
}
type Side = ReturnType<typeof policyWith>;

/** Every ordered pair whose outcomes over the values do not go with what the diff says. */
function misranked<T>(
  sides: readonly Side[],
  values: readonly T[],
  judge: (side: Side, value: T) => unknown,
  atMost: (one: unknown, other: unknown) => boolean,
): string[] {
  const answers = sides.map((side) => values.map((value) => judge(side, value)));
  return sides.flatMap((before, i) =>
    sides.flatMap((after, j) => {
      const { counts } = diffPolicies(before.policy, after.policy);
      const pairs = values.map((value, at) => ({ value, old: answers[i]?.[at], now: answers[j]?.[at] }));
      const looser = pairs.find(({ old, now }) => !atMost(now, old));
      const tighter = pairs.find(({ old, now }) => !atMost(old, now));
      const name = `${before.words} -> ${after.words}`;
      if (looser !== undefined && counts.loosened + counts.changed === 0)
        return [`${name} loosens ${String(looser.value)}`];
      if (tighter !== undefined && counts.tightened + counts.changed === 0)
        return [`${name} tightens ${String(tighter.value)}`];
      return [];
    }),
  );
}

const OPERATORS = [
  {},
  { required: true },
  ...[1, 2].flatMap((n) => [{ min: n }, { max: n }, { gt: n }, { lt: n }, { eq: n }, { ne: n }, { in: [n] }]),
  { min: 1, max: 2 },
  { gt: 1, min: 1 },
  { in: [1, 2] },
  { in: [1, true] },
  { in: ["a", "ab"] },
  { eq: "a" },
  { eq: { k: [1] } },
  { not_in: [1, 2] },
  { not_in: [] },
  { not_in: ["a"] },
  ...["int", "number", "string", "list", "set", "dict", "null"].map((type) => ({ type })),
  { type: ["int", "string"] },
  { type: ["string", "bool", "null"] },
  ...[0, 1, 2].flatMap((n) => [{ minLength: n }, { maxLength: n }]),
  { max_bytes: 1 },
  { max_bytes: 3 },
  { matches: "a+" },
  { matches: "a*b?" },
  { not_matches: "b" },
  { not_contains: "b" },
  { contains: "a" },
  { startsWith: "a" },
  { startsWith: "ab" },
  { type: "string", maxLength: 1 },
];

const VALUES: readonly unknown[] = [
  undefined,
  null,
  ...[0, 1, 1.5, 2, 3, -1, 1n, 2n, Number.NaN, true, false],
  ...["", "a", "b", "ab", "aab", "abc", "1"],
  ...[[], ["a"], ["a", "b"], [1], {}, { k: [1] }, { k: 1 }, new Set(["a"]), new Map(), new Date(0), () => 1],
];

describe("a change of operators", () => {
  const allows = (one: unknown, other: unknown) => one === false || other === true;

  it("on an argument is ranked as the values that pass before and after have it", () => {
    const sides = OPERATORS.map((operators) => policyWith({ input: { x: operators } }));
    const judge = ({ plan }: Side, value: unknown) => {
      const call = {
        tool: "t.a",
        session: new Session(),
        enclosing: 0,
        names: undefined,
        args: [{ x: value }],
      };
      return decideCall("current", plan.view(["r"]), call).decision.outcome === "allow";
    };
    expect(misranked(sides, VALUES, judge, allows)).toEqual([]);
  });

  it("on an output is ranked as the values that pass before and after have it", () => {
    const sides = OPERATORS.map((operators) => policyWith({ output: { x: operators } }));
    const judge = ({ plan }: Side, value: unknown) =>
      decideRelease(plan.view(["r"]).entry("t.a").output, { x: value }).decision.outcome === "allow";
    expect(misranked(sides, VALUES, judge, allows)).toEqual([]);
  });

  it("is ranked with what the tool id says about names that the guard must know", () => {
    const sides = ["t.a", "t.*"].flatMap((tool) =>
      [{}, { required: true }, { max: 1 }].flatMap((operators) => [
        policyWith({ input: { x: operators } }, tool),
        policyWith({ input: { x: operators, y: { max: 2 } } }, tool),
      ]),
    );
    const calls = [[], ["x"], ["y"], ["x", "y"]].flatMap((names) =>
      [[], [1], [2], [1, 1], [2, 3]].map((args) => ({ names: parameterNames(names), args })),
    );
    const judge = ({ plan }: Side, { names, args }: (typeof calls)[number]) => {
      const call = { tool: "t.a", session: new Session(), enclosing: 0, names, args };
      return decideCall("current", plan.view(["r"]), call).decision.outcome === "allow";
    };
    expect(misranked(sides, calls, judge, allows)).toEqual([]);
  });
});

const ACTIONS = [
  { a: { action: "redact" } },
  { a: { action: "filter" } },
  { a: { action: "deny", min: 5 } },
  { a: { action: "deny", contains: "RED" } },
  { a: { action: "truncate", maxLength: 1 } },
  { a: { action: "truncate", maxLength: 3 } },
  { b: { action: "redact", matches: "s+" } },
  { b: { action: "filter", maxLength: 1 } },
  { "b.a": { action: "deny", required: true } },
  { max_bytes: 14 },
  { deny_if_patterns: ["s"] },
  { deny_if_patterns: ["s", "x"] },
  { require_fields_absent: ["c"] },
];

const OUTPUTS: readonly unknown[] = [
  {},
  ...["s", "xyz", 3, 9, ["s", "t"], { a: "s" }, { a: 1, b: "s" }].flatMap((value) => [
    { a: value },
    { b: value },
    { a: "x", b: value },
    { b: { a: value } },
    { c: value },
  ]),
  "s",
  new Set([1]),
  () => 1,
];

const REFUSED = Symbol("refused");

describe("a change of output actions and of rules on the whole result", () => {
  it("is ranked as what is released before and after has it", () => {
    const lists = ACTIONS.flatMap((one) => [one, ...ACTIONS.map((other) => ({ ...one, ...other }))]);
    const distinct = [...new Map([{}, ...lists].map((list) => [JSON.stringify(list), list])).values()];
    // Part of them, which has each action before and after others.
    const sides = distinct.map((output) => policyWith({ output })).filter((_, at) => at % 3 === 0);
    const judge = ({ plan }: Side, value: unknown) => {
      const { decision, value: left } = decideRelease(plan.view(["r"]).entry("t.a").output, value);
      return decision.outcome === "deny" ? REFUSED : left;
    };
    expect(misranked(sides, OUTPUTS, judge, tellsNoMore)).toEqual([]);
  }, 60_000);
});

/** Whether everything in one value is also in the other, at its place, as far as it was not taken out. */
function tellsNoMore(one: unknown, other: unknown): boolean {
  if (one === REFUSED || one === other) return true;
  if (other === REFUSED) return false;
  if (typeof one === "string" && "[REDACTED]".startsWith(one) && one !== "") return true;
  if (typeof one === "string") return typeof other === "string" && other.startsWith(one);
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.every((item) => other.some((it: unknown) => tellsNoMore(item, it)));
  }
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) return false;
  const whole = new Map(Object.entries(other));
  return Object.entries(one).every(([key, entry]) => whole.has(key) && tellsNoMore(entry, whole.get(key)));
}

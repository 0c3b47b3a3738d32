import { describe, expect, it } from "vitest";
import type { OperatorName } from "../src/document/document.js";
import { OPERATORS, operatorOf, suggestOperator } from "../src/operators/operators.js";

class Point {
  readonly x = 1;
}

/** What no operator but `required` and (for a set) `type` can judge. */
const NOT_PLAIN: readonly unknown[] = [
  () => 1,
  Symbol("a"),
  new Point(),
  new String("a"),
  new Number(5),
  Object(5n),
  new Date(0),
  new Map(),
  new Set(["a"]),
  /a/,
  Promise.resolve(1),
  new Uint8Array(2),
  Object.create({ a: 1 }),
];

function bind(name: OperatorName, operand: unknown) {
  const operator = operatorOf(name);
  const check = operator.checkOperand(operand);
  if (!check.ok) throw new Error(check.message);
  return operator.bind(check.operand);
}

function holds(name: OperatorName, operand: unknown, value: unknown): boolean {
  return bind(name, operand).holds(value);
}

function fires(name: OperatorName, operand: unknown, value: unknown): boolean {
  return bind(name, operand).fires(value);
}

/** `operator operand value holds fires`: what the language's two tables say. */
const CASES: readonly (readonly [OperatorName, unknown, unknown, boolean, boolean])[] = [
  ["required", true, 0, true, false],
  ["required", true, "", true, false],
  ["required", true, null, false, true],
  ["required", true, undefined, false, true],
  ["required", false, null, true, false],
  ["type", "int", 5, true, false],
  ["type", "int", 5n, true, false],
  ["type", "int", 5.5, false, true],
  ["type", "int", "5", false, true],
  ["type", "int", true, false, true],
  ["type", "int", Number.NaN, false, true],
  ["type", "int", null, true, false],
  ["type", ["int", "null"], null, true, false],
  ["type", "float", 5, true, false],
  ["type", "number", Number.POSITIVE_INFINITY, false, true],
  ["type", "number", 5n, true, false],
  ["type", "str", "a", true, false],
  ["type", "string", ["a"], false, true],
  ["type", "boolean", false, true, false],
  ["type", "bool", 0, false, true],
  ["type", "list", [], true, false],
  ["type", "tuple", [1], true, false],
  ["type", "array", {}, false, true],
  ["type", "dict", {}, true, false],
  ["type", "object", [], false, true],
  ["type", "dict", new Point(), false, true],
  ["type", "set", new Set(), true, false],
  ["type", "set", [], false, true],
  ["type", "list", new Set(), false, true],
  ["type", "none", 0, false, true],
  ["type", ["int", "string"], "a", true, false],
  ["type", ["int", "string"], true, false, true],
  ["eq", "a", "a", true, true],
  ["eq", "a", "A", false, false],
  ["eq", 1, true, false, false],
  ["eq", 1, 1n, true, true],
  ["eq", 0, -0, true, true],
  ["eq", null, null, true, true],
  ["eq", [1, { a: 2 }], [1, { a: 2n }], true, true],
  ["ne", "a", "b", true, false],
  ["ne", 1, true, true, false],
  ["ne", 1, 1n, false, true],
  ["ne", "a", null, true, false],
  ["ne", ["a"], [new String("a")], false, true],
  ["ne", 5, Number.NaN, true, false],
  ["in", ["a", 1, null], "a", true, true],
  ["in", ["a", 1, null], 1n, true, true],
  ["in", ["a", 1, null], null, true, true],
  ["in", ["a", 1, null], true, false, false],
  ["in", "open", "open", true, true],
  ["in", "open", "o", false, false],
  ["in", [["a"]], ["a"], true, true],
  ["not_in", ["a", 1], "a", false, true],
  ["not_in", ["a", 1], "b", true, false],
  ["not_in", ["a", 1], true, true, false],
  ["not_in", [null], null, false, true],
  ["not_in", [], "a", true, false],
  ["not_in", [["a"]], [new String("a")], false, true],
  ["min", 5, 5, true, false],
  ["min", 5, 4.9999, false, true],
  ["min", 5, 5n, true, false],
  ["min", 5, Number.POSITIVE_INFINITY, true, false],
  ["min", 5, Number.NaN, false, true],
  ["min", 5, "6", false, true],
  ["min", 0, true, false, true],
  ["min", 5, null, false, true],
  ["min", 5, [6], false, true],
  ["max", 9007199254740992, 9007199254740993n, false, true],
  ["max", 5, 5, true, false],
  ["max", 5, 5.0001, false, true],
  ["gt", 5, 5, false, true],
  ["gt", 5, 6n, true, false],
  ["lt", 5, 5, false, true],
  ["lt", 0, -0, false, true],
  ["minLength", 2, "😀", false, true],
  ["minLength", 2, "😀😀", true, false],
  ["minLength", 1, [], false, true],
  ["minLength", 2, { a: 1, b: 2 }, true, false],
  ["minLength", 1, null, true, false],
  ["minLength", 1, 12345, false, true],
  ["maxLength", 1, "😀", true, false],
  ["maxLength", 2, [1, 2, 3], false, true],
  ["maxLength", 9, true, false, true],
  ["maxLength", 0, null, true, false],
  ["max_bytes", 3, "éé", false, true],
  ["max_bytes", 4, "😀", true, false],
  ["max_bytes", 5, 12345, true, false],
  ["max_bytes", 5, 123456, false, true],
  ["max_bytes", 9, { a: [1] }, true, false],
  ["max_bytes", 8, { a: [1] }, false, true],
  ["max_bytes", 1, null, true, false],
  ["max_bytes", 99, 5n, false, true],
  ["max_bytes", 99, Number.NaN, false, true],
  ["matches", "[a-z]+", "abc", true, true],
  ["matches", "abc", "xabcx", false, true],
  ["matches", "^[a-z]+$", "abc\n", false, false],
  ["matches", "\\d+", 5, false, true],
  ["matches", "^-1\\.5$", -1.5, false, true],
  ["matches", "^1000000000000000000000$", 1e21, false, true],
  ["matches", "true", true, false, false],
  ["matches", "a", ["a"], false, false],
  ["matches", "N", Number.NaN, false, false],
  ["matches", "a", null, false, false],
  ["not_matches", "(?i)password", "my PassWord", false, true],
  ["not_matches", "^abc$", "abc\n", true, false],
  ["not_matches", "1", 5, false, true],
  ["contains", "b", "abc", true, true],
  ["contains", "a.c", "abc", false, false],
  ["contains", "a", ["a", "b"], true, false],
  ["contains", 1, [1n], true, false],
  ["contains", 1, "1", false, false],
  ["contains", "1", 123, false, false],
  ["contains", "a", { a: 1 }, false, false],
  ["contains", "a", null, false, false],
  ["not_contains", "../", "a/../b", false, true],
  ["not_contains", "x", ["a"], true, false],
  ["not_contains", "a", ["a"], false, true],
  ["not_contains", "a", [new String("a")], false, true],
  ["not_contains", "1", 5, false, true],
  ["not_contains", 1, "1", true, false],
  ["startsWith", "https://", "https://a", true, true],
  ["startsWith", "https://", " https://a", false, false],
  ["startsWith", "", "a", true, true],
  ["startsWith", "1", 11, false, false],
  ["endsWith", ".com", "a.com", true, true],
  ["endsWith", ".com", "a.com\n", false, false],
  ["endsWith", "a", ["a"], false, false],
];

describe("an operator", () => {
  it.each(CASES)("%s %j judges case %#", (name, operand, value, held, fired) => {
    expect({ holds: holds(name, operand, value), fires: fires(name, operand, value) }).toEqual({
      holds: held,
      fires: fired,
    });
  });

  it("that constrains fires exactly where it does not hold", () => {
    for (const [name, operand, value] of CASES) {
      if (operatorOf(name).group === "constraint") {
        expect([name, operand, fires(name, operand, value)]).toEqual([
          name,
          operand,
          !holds(name, operand, value),
        ]);
      }
    }
  });

  it.each([...OPERATORS.keys()].filter((name) => name !== "required"))(
    "%s fails on what is not plain data",
    (name) => {
      const operands: { readonly [key: string]: unknown } = {
        type: ["string", "int", "dict", "list", "number", "bool", "null"],
        in: ["a", 5],
        not_in: [],
        min: -9,
        max: 9,
        gt: -9,
        lt: 9,
        minLength: 0,
        maxLength: 9,
        max_bytes: 999,
        matches: ".*",
        not_matches: "zzz",
      };
      const { holds, fires } = bind(name, operands[name] ?? "a");
      for (const value of NOT_PLAIN) {
        expect(holds(value)).toBe(false);
        expect(fires(value)).toBe(operatorOf(name).group === "constraint");
      }
    },
  );

  it("is listed in the order of the language, each under its own name", () => {
    expect([...OPERATORS.keys()].join(" ")).toBe(
      "required type eq ne in not_in min max gt lt minLength maxLength max_bytes matches not_matches contains " +
        "not_contains startsWith endsWith",
    );
    for (const [name, operator] of OPERATORS) expect(operator.name).toBe(name);
  });

  it.each([
    ["min", 5, "at least 5"],
    ["in", ["open", "closed"], 'one of "open", "closed"'],
    ["not_in", [], "none of []"],
    ["type", ["int", "string"], "of type int or string"],
    ["matches", "[a-z]+", 'matched by "[a-z]+"'],
    ["required", true, "present and not null"],
  ] as const)("%s says %j in plain words", (name, operand, words) => {
    expect(operatorOf(name).words(operand)).toBe(words);
  });
});

describe("an operand", () => {
  it.each<readonly [OperatorName, unknown, string]>([
    ["required", "yes", "true or false"],
    ["type", "integer", "no type `integer`"],
    ["type", [], "at least one"],
    ["type", 1, "name of a type"],
    ["type", ["int", 5], "name of a type"],
    ["min", "3", "leave out the quotes"],
    ["min", "a", "must be a number"],
    ["min", null, "must be a number"],
    ["max", Number.NaN, "finite"],
    ["max", Number.POSITIVE_INFINITY, "finite"],
    ["max", 9007199254740993n, "cannot hold exactly"],
    ["max", 10n ** 400n, "cannot hold exactly"],
    ["gt", true, "must be a number"],
    ["lt", [1], "must be a number"],
    ["in", 5, "must be a list"],
    ["in", [], "at least one"],
    ["in", [Number.NaN], "finite"],
    ["in", [9007199254740993n], "cannot hold exactly"],
    ["not_in", null, "must be a list"],
    ["eq", Number.NaN, "finite"],
    ["eq", undefined, "plain data"],
    ["eq", { a: new Date(0) }, "plain data"],
    ["ne", [() => 1], "plain data"],
    ["minLength", -1, "whole number"],
    ["maxLength", 1.5, "whole number"],
    ["maxLength", "3", "leave out the quotes"],
    ["max_bytes", -1, "whole number"],
    ["matches", 5, "pattern"],
    ["matches", "(", "RE2 refuses"],
    ["not_matches", "a(?=b)", "no look-ahead"],
    ["contains", ["a"], "not a list"],
    ["not_contains", undefined, "plain data"],
    ["startsWith", ["a", "b"], "must be a string"],
    ["endsWith", 1, "must be a string"],
  ])("of %s cannot be case %#", (name, operand, words) => {
    const check = operatorOf(name).checkOperand(operand);
    expect(check.ok ? "accepted" : check.message).toContain(words);
  });

  it.each<readonly [OperatorName, unknown, unknown]>([
    ["max", 9007199254740994n, 9007199254740994],
    ["min", -0, 0],
    ["min", 0.5, 0.5],
    ["in", "open", ["open"]],
    ["not_in", [], []],
    ["type", "int", "int"],
    ["eq", { a: [1n] }, { a: [1] }],
    ["maxLength", 3n, 3],
    ["contains", 5, 5],
    ["required", false, false],
  ])("of %s is kept in its plain form, case %#", (name, operand, kept) => {
    expect(operatorOf(name).checkOperand(operand)).toEqual({ ok: true, operand: kept });
  });

  it("is copied and frozen, with every key a key", () => {
    const list = [1];
    const written = Object.fromEntries([["__proto__", { a: list }]]);
    const check = operatorOf("eq").checkOperand(written);
    expect(check.ok && Object.isFrozen(check.operand)).toBe(true);
    expect(check.ok && Object.keys(check.operand ?? {})).toEqual(["__proto__"]);
    list[0] = 2;
    expect(
      check.ok && operatorOf("eq").bind(check.operand).holds(JSON.parse('{"__proto__": {"a": [1]}}')),
    ).toBe(true);
  });

  it("that is nested without end is refused", () => {
    const written: unknown[] = [];
    written.push(written);
    const check = operatorOf("eq").checkOperand(written);
    expect(check.ok ? "accepted" : check.message).toContain("nested deeper than 128");
  });

  it.each([
    ["integer", "int"],
    ["String", "string"],
    ["strng", "string"],
    ["mapping", "dict"],
    ["nil", "null"],
    ["complex", undefined],
  ])("that names the type %s suggests %s", (word, suggestion) => {
    expect(operatorOf("type").checkOperand(word)).toMatchObject(
      suggestion === undefined ? { ok: false } : { suggestion },
    );
  });
});

describe("a misspelt operator", () => {
  it.each([
    ["minimum", "min"],
    ["maximum", "max"],
    ["minLenght", "minLength"],
    ["minlength", "minLength"],
    ["maxlength", "maxLength"],
    ["min_length", "minLength"],
    ["Type", "type"],
    ["MIN", "min"],
    ["equals", "eq"],
    ["regex", "matches"],
    ["pattern", "matches"],
    ["enum", "in"],
    ["notIn", "not_in"],
    ["maxBytes", "max_bytes"],
    ["starts_with", "startsWith"],
    ["requird", "required"],
    ["!=", undefined],
    ["frobnicate", undefined],
    ["constructor", undefined],
    ["__proto__", undefined],
  ])("%s suggests %s", (word, operator) => {
    expect(suggestOperator(word)).toBe(operator);
  });
});

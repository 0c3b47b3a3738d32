// The bypass: a number that is none (NaN), has no end (infinities), a sign it should not have (-0), more digits than a
// double holds, or is written as a string, and so slips through a bound, an equality or a pattern that it was meant for.

import { configureRbac, d2Guard } from "d2-sdk";
import { describe, expect, it } from "vitest";
import { asAgent, enforce, errorOf, outcome, permission } from "./enforce.js";

const judged = (value: unknown): string =>
  asAgent(() => outcome(() => d2Guard("tool", (_: object) => 1)({ value })));
const rule = (operators: object): Promise<void> =>
  enforce([permission("tool", { input: { value: operators } })]);

const BEYOND = 2n ** 70n;

describe("an argument", () => {
  it.each([
    [
      "min",
      { min: 0 },
      [0, -0, 0.5, 1n, BEYOND, 1e308, Infinity],
      [NaN, -1, -1n, -BEYOND, -Infinity, -5e-324, "1", "0", true, [1], null],
    ],
    [
      "max",
      { max: 10 },
      [10, 10n, -0, -BEYOND, -Infinity],
      [NaN, 10.000000000000002, 11n, BEYOND, Infinity, "1", "-1", false, [], {}],
    ],
    ["gt", { gt: 0 }, [5e-324, 1n, Infinity], [0, -0, 0n, NaN, "1"]],
    ["lt", { lt: 0 }, [-5e-324, -1n, -Infinity], [0, -0, 0n, NaN, "-1"]],
    [
      "a bound that no double is next to",
      { max: 9007199254740991 },
      [9007199254740991n, 2 ** 53 - 1],
      [9007199254740992n, 9007199254740993n, 2 ** 53],
    ],
    ["a fractional bound on a bigint", { max: 1.5 }, [1n, 1], [2n, 1.6]],
    [
      "type int",
      { type: "int" },
      [1, -0, 1n, BEYOND, 2 ** 60],
      [1.5, NaN, Infinity, "1", true, Object(1), Object(1n)],
    ],
    ["type float", { type: "float" }, [1.5, 1, -0], [NaN, Infinity, -Infinity, "1.5", true]],
    ["type number", { type: "number" }, [1.5], [NaN, Infinity, "1.5", "0x10", ""]],
    ["eq", { eq: 1 }, [1, 1n], [true, "1", 1.0000000000000002, NaN, [1]]],
    ["eq zero", { eq: 0 }, [0, -0, 0n], [false, "", null, "0", NaN, 5e-324]],
    ["ne", { ne: 0 }, [1, "0", false, NaN], [0, -0, 0n]],
    ["in", { in: [1, 2] }, [1, 2n], ["1", true, 3, NaN, [1]]],
    ["not_in", { not_in: [0, 1] }, [2, "1", true], [0, -0, 0n, 1n, 1]],
    ["not_contains", { not_contains: 1 }, [[2, "1"]], [[1], [1n], [2, 1]]],
    ["matches", { matches: "[0-9]+" }, ["12"], [12, 12n, "1e3", "١٢", "12\n", "0x1", "-1", "1_0"]],
    [
      "max_bytes",
      { max_bytes: 4 },
      [1234, -123, "1234"],
      [12345, NaN, Infinity, 1n, -BEYOND, [NaN], { a: 1n }],
    ],
    ["minLength", { minLength: 1 }, ["1", [1]], [1, 11, 1n, NaN]],
  ])("under %s is judged as what it is", async (_name, operators, pass, fail) => {
    await rule(operators);
    for (const value of pass) expect([value, judged(value)]).toEqual([value, "ok"]);
    for (const value of fail) expect([value, judged(value)]).toEqual([value, "input_validation"]);
  });

  it("that is too large a bigint to write down quickly is judged without writing it down", async () => {
    const huge = 2n ** 4_000_000n;
    await rule({ min: 0, type: "int", ne: 5, not_in: [1, 2] });
    expect(judged(huge)).toBe("ok");
    await rule({ max: 5 });
    expect(judged(huge)).toBe("input_validation");
  });
});

describe("a bound that a double cannot hold", () => {
  it.each([
    "9007199254740993",
    "-9007199254740993",
    "1e400",
    ".nan",
    ".inf",
    "-.inf",
    '"3"',
    "true",
    "0x",
    "1_000",
    "null",
    "[1]",
  ])("(%s) is refused when the policy is loaded", async (text) => {
    const policy = `policies: [{ role: agent, permissions: [{ tool: t, conditions: { input: { n: { max: ${text} } } } }] }]`;
    expect(await errorOf(() => configureRbac({ policy }))).toMatchObject({ code: "configuration_error" });
  });
});

describe("a number in a result", () => {
  const returned = (value: unknown): string => asAgent(() => outcome(d2Guard("tool", () => value)));

  it.each([
    ["as a number", 4111111111111111],
    ["as a bigint", 4111111111111111n],
    ["as a string", "4111111111111111"],
    ["as a key", { 4111111111111111: 1 }],
    ["deep inside", { a: [new Map([["b", 4111111111111111]])] }],
    ["as an element of bytes", Buffer.from("4111111111111111")],
    ["larger than what is written without exponent", 4111111111111111e10],
  ])("%s is found by the pattern of its digits", async (_how, value) => {
    await enforce([permission("tool", { output: { deny_if_patterns: ["4111111111111111"] } })]);
    expect(returned(value)).toBe("output_sanitization");
  });

  it("is redacted by its digits, whole, and others are left alone", async () => {
    await enforce([permission("tool", { output: { card: { matches: "^4[0-9]{15}$", action: "redact" } } })]);
    const rows = [
      { card: 4111111111111111 },
      { card: 4111111111111111n },
      { card: -4111111111111111 },
      { card: NaN },
      { card: -0 },
    ];
    expect(asAgent(d2Guard("tool", () => rows))).toEqual([
      { card: "[REDACTED]" },
      { card: "[REDACTED]" },
      { card: -4111111111111111 },
      { card: NaN },
      { card: -0 },
    ]);
  });

  it("that a bound cannot judge breaks it", async () => {
    await enforce([permission("tool", { output: { n: { max: 10 } } })]);
    for (const n of [NaN, Infinity, 11n, BEYOND, "1", true, [1], { a: 1 }]) {
      expect(returned({ n })).toBe("output_validation");
    }
    for (const n of [10, -0, -Infinity, 10n, -BEYOND]) expect(returned({ n })).toBe("ok");
    await enforce([permission("tool", { output: { n: { max: 10, action: "filter" } } })]);
    expect(asAgent(d2Guard("tool", () => [{ n: NaN }, { n: "9" }, { n: BEYOND }, { n: 10 }]))).toEqual([
      {},
      {},
      {},
      { n: 10 },
    ]);
  });

  it("that JSON cannot hold is not let through for want of a size", async () => {
    await enforce([permission("tool", { output: { max_bytes: 1000 } })]);
    for (const value of [NaN, Infinity, 1n, [1n], { a: NaN }])
      expect(returned(value)).toBe("output_sanitization");
    for (const value of [-0, 1.5, "1", null, undefined]) expect(returned(value)).toBe("ok");
  });
});

// The bypass: a text that makes a pattern of the policy run for hours, so that the guard stands still (or is switched
// off by whoever waits for it). Each position in which a policy has a pattern is given texts of one megabyte that bring
// a backtracking engine to its knees; a test passes when it ends at all, with the right answer.

import { d2Guard } from "d2-sdk";
import { describe, expect, it } from "vitest";
import { asAgent, enforce, outcome, outcomeLater, permission } from "./enforce.js";

const MEGABYTE = 2 ** 20;
const many = (text: string): string => text.repeat(MEGABYTE / text.length);

/** A pattern, a text that it is not found in, and the same with something that it is found in. */
const cases: [pattern: string, barren: string, fruitful: string][] = [
  ["(a+)+b", `b${many("a")}!`, `b${many("a")}b`],
  ["(a|a)*bb", `b${many("a")}!b`, `b${many("a")}bb`],
  ["(.*)=(.*)=(.*)=(.*)=1", `=1${many("a=b")}2`, `${many("a=b")}=1`],
  ["(?i)(?:[a-z0-9]+[.-]?)+@(?:[a-z0-9]+[.-]?)+", `${many("a.b-")}@`, `${many("a.b-")}@c`],
  ["(?:a?){9}a{9}c", `c${many("a")}`, `${many("a")}c`],
];

describe.each(cases)("the pattern %s", (pattern, barren, fruitful) => {
  it("is no trap in `matches` and `not_matches` on an argument", async () => {
    const tool = d2Guard("tool", (_: object) => 1);
    await enforce([
      permission("tool", { input: { free: { not_matches: pattern }, whole: { matches: `(?s)${pattern}` } } }),
    ]);
    const judged = (args: object): string => asAgent(() => outcome(() => tool(args)));
    expect(judged({ free: barren })).toBe("ok");
    expect(judged({ free: fruitful })).toBe("input_validation");
    expect(judged({ whole: barren })).toBe("input_validation");
  });

  it("is no trap in `matches` on a result, in `deny`, `redact` and `filter`, in lists and as the value itself", async () => {
    const given = (value: unknown) => d2Guard("tool", () => value);
    await enforce([permission("tool", { output: { "rows.text": { matches: `(?s).*${pattern}.*` } } })]);
    expect(asAgent(() => outcome(given({ rows: [{ text: fruitful }] })))).toBe("ok");
    expect(asAgent(() => outcome(given({ rows: [{ text: barren }] })))).toBe("output_validation");
    await enforce([permission("tool", { output: { text: { matches: pattern, action: "deny" } } })]);
    expect(asAgent(() => outcome(given([{ text: barren }])))).toBe("ok");
    expect(asAgent(() => outcome(given([{ text: fruitful }])))).toBe("output_sanitization");
    await enforce([permission("tool", { output: { text: { matches: pattern, action: "filter" } } })]);
    expect(asAgent(given([{ text: [barren, fruitful] }]))).toEqual([{ text: [barren] }]);
    await enforce([permission("tool", { output: { $: { matches: pattern, action: "redact" } } })]);
    expect(asAgent(given(barren))).toBe(barren);
    expect(asAgent(given(fruitful))).toContain("[REDACTED]");
  });

  it("is no trap in `deny_if_patterns`, on texts, on keys and on what a tool throws", async () => {
    await enforce([permission("tool", { output: { deny_if_patterns: [pattern] } })]);
    const judged = (value: unknown): string => asAgent(() => outcome(d2Guard("tool", () => value)));
    expect(judged({ [barren]: barren })).toBe("ok");
    expect(judged([fruitful])).toBe("output_sanitization");
    expect(judged({ [fruitful]: 1 })).toBe("output_sanitization");
    const failing = d2Guard("tool", async () => {
      throw Object.assign(new Error("no"), { cause: { detail: fruitful } });
    });
    expect(await outcomeLater(() => asAgent(failing))).toBe("output_sanitization");
  });
});

describe("redaction", () => {
  const redacted = async (matches: string, text: string): Promise<unknown> => {
    await enforce([permission("tool", { output: { text: { matches, action: "redact" } } })]);
    const result: unknown = asAgent(d2Guard("tool", () => ({ text })));
    return Reflect.get(Object(result), "text");
  };

  it("of as many matches as there are characters ends, and leaves none of them", async () => {
    const text = many("a");
    expect(await redacted("a", text)).toBe("[REDACTED]".repeat(MEGABYTE));
    expect(await redacted("a{1,3}", `${text}b`)).toMatch(/^(\[REDACTED\])+b$/);
  });

  it.each([
    ["looks for the end of a longer match at every one", "a+b|a"],
    ["looks for it between words", "\\b(?:a|ba)+c\\b|a|b"],
    ["has a bound on its length, and a high one", "a{1,1000}b|a"],
    ["has a bound, and many ways to get there", "(?:a{1,100}){1,10}b|a"],
    ["has a bound, and can do without each of its parts", "(?:a?){1000}b|a"],
  ])(
    "with a pattern that %s gives up on telling the matches apart, not on the text",
    async (_what, pattern) => {
      expect(await redacted(pattern, many("ab"))).not.toContain("a");
      expect(await redacted(pattern, many("a"))).toBe("[REDACTED]");
      expect(await redacted(pattern, "x".repeat(MEGABYTE))).toBe("x".repeat(MEGABYTE));
      expect(await redacted(pattern, "x a y")).toBe("x [REDACTED] y");
    },
  );
});

describe("a pattern that would be expensive however it is run", () => {
  it.each([
    ["nested counted repeats", "(?:(?:a{1,40}){1,40}){1,40}"],
    ["a counted repeat beyond RE2's own limit", "a{1001}"],
    ["a back-reference", "(a+)\\1"],
    ["a look-ahead", "(?=a+)b"],
    ["a possessive repeat", "a++b"],
    ["an atomic group", "(?>a+)b"],
  ])("(%s) does not get into a policy", async (_what, pattern) => {
    for (const conditions of [
      { input: { a: { matches: pattern } } },
      { input: { a: { not_matches: pattern } } },
      { output: { a: { matches: pattern } } },
      { output: { a: { matches: pattern, action: "redact" } } },
      { output: { deny_if_patterns: [pattern] } },
    ]) {
      await expect(enforce([permission("tool", conditions)])).rejects.toMatchObject({
        code: "configuration_error",
      });
    }
  });
});

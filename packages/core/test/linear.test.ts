import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileOnRe2 } from "../src/operators/engine.js";
import { proveLinear } from "../src/operators/linear.js";
import { compilePattern } from "../src/operators/pattern.js";

const PROVED_WHOLE = [
  "[a-z]+",
  "^[a-z_]+$",
  "\\A[a-z]+\\z",
  "^(?:open|closed)$",
  "(?P<year>[0-9]{4})-(?<month>[0-9]{2})",
  "[A-Za-z][A-Za-z0-9_]{0,62}",
  "[a-z]+(?:\\.[a-z]+)*",
  ".*",
  "[^/]+/[^/]+",
  "\\d{3}-\\d{2}-\\d{4}",
  "a??b+?",
  "é+|😀",
];

const NOT_PROVED = [
  "(a+)+",
  "(a|a)b",
  "(a|ab)c",
  "a*a",
  "(?:a?|b?)c",
  "(?:a*)*",
  "(a{1,2}){3}",
  ".*a",
  "(?i)secret",
  "\\bword\\b",
  "\\pL+",
  "[[:alpha:]]+",
  "^a|b$",
  "(a$)",
  "a^b",
  "\\Qa\\E",
  "[^\\x00-\\x{10FFFF}]",
  "(x+x+)+y",
  "",
  "a{2}{3}",
];

describe("the proof of linear time", () => {
  it.each(PROVED_WHOLE)("holds for %s", (source) => {
    expect(proveLinear(source)?.whole).toBeInstanceOf(RegExp);
  });

  it.each(NOT_PROVED.filter((source) => source !== ""))("does not hold for %s", (source) => {
    expect(proveLinear(source)).toBeUndefined();
  });

  it("holds for the empty pattern as a whole, and not for searching it", () => {
    expect(proveLinear("")?.whole.source).toBe("^(?:)$");
    expect(proveLinear("")?.search).toBeUndefined();
  });

  it("lets a search be native only where each start looks at a bounded number of characters", () => {
    expect(proveLinear("[0-9]{3}-[0-9]{4}")?.search).toBeDefined();
    expect(proveLinear("[0-9]+x")?.search).toBeUndefined();
    expect(proveLinear("[0-9]{3}(?:x[a-z]{1,300})")?.search).toBeUndefined();
    expect(proveLinear("^[0-9]+x")?.search).toBeDefined();
    expect(proveLinear("[0-9]*")?.search).toBeUndefined();
  });

  it("keeps no state from one test to the next", () => {
    const pattern = compilePattern("[0-9]{2}");
    expect([1, 2, 3].map(() => pattern.foundIn("a12"))).toEqual([true, true, true]);
    expect([1, 2].map(() => pattern.replaceAll("12 34", "x"))).toEqual(["x x", "x x"]);
  });
});

/** Sources in the simple syntax, mostly over few letters, so that many of them are deterministic and match. */
const source: fc.Arbitrary<string> = fc.letrec<{ regex: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom("a", "b", "c", "x", "-", "\\.", ".", "\\d", "\\w", "\\s", "\\D", "\\S", "\\W"),
    fc.constantFrom(
      "[ab]",
      "[^a]",
      "[a-c]",
      "[^\\d]",
      "[\\w-]",
      "é",
      "😀",
      "[^😀]",
      "\\x{1F600}",
      "\\n",
      "\\x41",
    ),
    tie("regex").map((inner) => `(?:${inner})`),
    tie("regex").map((inner) => `(${inner})`),
  ),
  regex: fc.oneof(
    { depthSize: "small" },
    tie("atom"),
    fc
      .tuple(
        tie("atom"),
        fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "+?", "??", "{1,3}?"),
      )
      .map(([atom, repeat]) => atom + repeat),
    fc.tuple(tie("regex"), tie("regex")).map(([left, right]) => left + right),
    fc.tuple(tie("regex"), tie("regex")).map(([left, right]) => `(?:${left}|${right})`),
  ),
})).regex;

const anchored = fc
  .tuple(fc.constantFrom("", "^", "\\A"), source, fc.constantFrom("", "$", "\\z"))
  .map((parts) => parts.join(""));

const text = fc
  .array(
    fc.constantFrom(
      "a",
      "b",
      "c",
      "x",
      "-",
      ".",
      "1",
      "A",
      " ",
      "\n",
      "\r",
      "\u2028",
      "\u00a0",
      "\u017f",
      "é",
      "😀",
      "\ud83d",
      "\ude00",
      "\u0661",
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

function usable(pattern: string): boolean {
  try {
    compileOnRe2(pattern);
    return true;
  } catch {
    return false; // such as a repeat of a repeat
  }
}

describe("native and RE2", () => {
  it("agree on whole texts, on searches and on every match", () => {
    let proved = 0;
    let searched = 0;
    fc.assert(
      fc.property(
        anchored.filter(usable),
        fc.array(text, { minLength: 1, maxLength: 8 }),
        (pattern, texts) => {
          const native = proveLinear(pattern);
          if (native === undefined) return;
          proved++;
          const engine = compileOnRe2(pattern);
          for (const sample of texts) {
            expect([pattern, sample, native.whole.test(sample)]).toEqual([
              pattern,
              sample,
              engine.matchesWhole(sample),
            ]);
            if (native.search === undefined) continue;
            searched++;
            const spans = [...sample.matchAll(native.search.all)].map((match) => ({
              start: match.index,
              end: match.index + match[0].length,
            }));
            expect([pattern, sample, native.search.once.test(sample)]).toEqual([
              pattern,
              sample,
              engine.foundIn(sample),
            ]);
            expect([pattern, sample, spans]).toEqual([pattern, sample, [...engine.matches(sample)]]);
          }
        },
      ),
      { numRuns: 4000 },
    );
    expect(proved).toBeGreaterThan(200);
    expect(searched).toBeGreaterThan(200);
  });
});

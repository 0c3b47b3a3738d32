import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../src/errors.js";
import { compileOnRe2 } from "../src/operators/engine.js";
import { compilePattern, readPattern } from "../src/operators/pattern.js";

function refusal(source: string): string {
  const reading = readPattern(source);
  return reading.ok ? "accepted" : reading.message;
}

describe("a pattern", () => {
  it("matches as a whole, or is found anywhere", () => {
    const pattern = compilePattern("abc");
    expect(pattern.matchesWhole("abc")).toBe(true);
    expect(pattern.matchesWhole("xabcx")).toBe(false);
    expect(pattern.foundIn("xabcx")).toBe(true);
    expect(pattern.foundIn("ab")).toBe(false);
  });

  it.each([
    ["(?i)secret", "a SeCret b", true],
    ["^abc$", "abc\n", false],
    ["(?m)^abc$", "x\nabc\ny", true],
    ["\\d", "\u0661", false],
    ["\\w", "ï", false],
    ["\\s", "\u00a0", false],
    ["\\s", "\v", false],
    ["a.c", "a\nc", false],
    ["(?s)a.c", "a\nc", true],
    ["a.c", "a\u2028c", true],
    ["^.$", "😀", true],
    ["^.$", "\ud83d", true],
    ["\\bno\\b", "say no more", true],
    ["\\bno\\b", "nothing", false],
    ["[^a]", "\n", true],
    ["\\pL", "é", true],
    ["a{2,3}", "aa", true],
    ["", "", true],
  ])("%j is searched for in %j as RE2 does", (source, text, found) => {
    expect(compilePattern(source).foundIn(text)).toBe(found);
  });

  it.each([
    ["(unclosed", "missing closing )"],
    ["[", "missing closing ]"],
    ["*a", "missing argument to repetition"],
    ["(?P<", "invalid named capture"],
    ["a(?=b)", "no look-ahead"],
    ["(?<!a)b", "no look-ahead and no look-behind"],
    ["(a)\\1", "no back-references"],
    ["(?P<y>[0-9]{4})-(?P=y)", "no back-references"],
    ["\\A[a-z]+\\Z", "`\\z`"],
    ["(?>a)", "no atomic groups"],
    ["a{1001}", "repeat"],
    ["((a{100}){100}){100}", "repeat"],
    ["(?:\\w{1,900}x){1}(?:\\w{1,900}y){1}(?:\\w{1,900}z){1}", "smaller counted repeats"],
  ])("%j is refused with what RE2 says and what to do", (source, words) => {
    expect(refusal(source)).toContain(words);
    expect(() => compilePattern(source)).toThrow(ConfigurationError);
  });

  it("may be long where it only lists words", () => {
    const words = Array.from({ length: 800 }, (_, index) => `word${index}`);
    expect(compilePattern(words.join("|")).foundIn("a word799 b")).toBe(true);
  });

  it.each([
    ["x*", true, undefined],
    ["x+", false, undefined],
    ["x{3}", false, 3],
    ["a|bcd?", false, 3],
    ["\\bfoo\\b", false, 3],
    ["\\b", true, 0],
    ["^|,", true, 1],
    ["(?:(?:a?)*)b", false, undefined],
    ["(?i)k", false, 1],
    [".{0,40}", true, 40],
    ["[^\\x00-\\x{10FFFF}]", false, 0],
    ["(?:a|b)*(?:c|[^\\x00-\\x{10FFFF}])", false, undefined],
    ["\\x{1F600}{2}", false, 2],
  ])("%j tells whether it matches nothing, and how much at most", (source, empty, longest) => {
    const { canMatchEmpty, maxMatchLength } = compilePattern(source);
    expect({ canMatchEmpty, maxMatchLength }).toEqual({ canMatchEmpty: empty, maxMatchLength: longest });
  });
});

describe("replacing every match", () => {
  const redact = (source: string, text: string) => compilePattern(source).replaceAll(text, "[REDACTED]");

  it.each([
    ["\\d{3}-\\d{2}-\\d{4}", "a 123-45-6789 b 987-65-4321 c", "a [REDACTED] b [REDACTED] c"],
    ["\\d{3}-\\d{2}-\\d{4}", "123-45-6789", "[REDACTED]"],
    ["\\d{3}-\\d{2}-\\d{4}", "clean", undefined],
    ["(?i)secret", "a SeCret b", "a [REDACTED] b"],
    ["\\bno\\b", "no nono no", "[REDACTED] nono [REDACTED]"],
    ["^a", "aaa", "[REDACTED]aa"],
    ["a$", "aaa", "aa[REDACTED]"],
    ["x{3}", "xxxx", "[REDACTED]x"],
    ["a|ab", "ab", "[REDACTED]b"],
    ["\\S+@\\S+", "to a@b.c and d@e", "to [REDACTED] and [REDACTED]"],
    ["😀", "a😀b", "a[REDACTED]b"],
    ["x", "", undefined],
  ])("%j in %j gives %j", (source, text, expected) => {
    expect(redact(source, text)).toBe(expected);
  });

  it("inserts the replacement as it is", () => {
    expect(compilePattern("b").replaceAll("abc", "$&$1\\0")).toBe("a$&$1\\0c");
    expect(compilePattern("(?i)b").replaceAll("abc", "$&$1\\0")).toBe("a$&$1\\0c");
  });

  it("runs free where matches have a bounded length", () => {
    expect(redact("x", "x".repeat(100_000))).toBe("[REDACTED]".repeat(100_000));
    expect(redact("(?i)x", "x".repeat(20_000))).toBe("[REDACTED]".repeat(20_000));
  });

  it("gives way to redacting the whole where unbounded matches times length pass four million", () => {
    const words = (count: number) => "x ".repeat(count);
    expect(redact("x+", words(1414))).toBe("[REDACTED] ".repeat(1414)); // 1414 x 2828
    expect(redact("x+", words(1415))).toBe("[REDACTED]"); // 1415 x 2830
    expect(redact("(?i)x+", words(1415))).toBe("[REDACTED]");
    expect(redact("x+", `${"y".repeat(3_999_999)}x`)).toBe(`${"y".repeat(3_999_999)}[REDACTED]`);
  });

  it("is not slowed by a part of the pattern that occurs nowhere", () => {
    const text = "acb ".repeat(30_000);
    expect(redact("\\bacb\\b|zzz.qq", text)).toBe("[REDACTED] ".repeat(30_000));
  });
});

describe("patterns made to be slow", () => {
  const text = `${"a".repeat(1_000_000)}!`;

  it.each([
    ["(a+)+$", false, false],
    ["(x+x+)+y", false, false],
    ["(a|aa)+$", false, false],
    ["(.*a){20}", false, true],
    ["(a*)*b", false, false],
    ["(a?){100}a{100}", false, true],
    ["(?:a|a?)+!", true, true],
  ])("%j ends on a megabyte", (source, whole, found) => {
    const pattern = compilePattern(source);
    expect(pattern.matchesWhole(text)).toBe(whole);
    expect(pattern.foundIn(text)).toBe(found);
  });

  it.each([
    ["(a+)+$", undefined],
    ["(x+x+)+y", undefined],
    ["(.*a){20}", "[REDACTED]!"],
    ["(a+)+!", "[REDACTED]"],
  ])("replacing %j ends on a megabyte", (source, expected) => {
    expect(compilePattern(source).replaceAll(text, "[REDACTED]")).toBe(expected);
  });
});

describe("the reading of the engine's program", () => {
  it("agrees with what the engine matches", () => {
    for (const source of [
      "a",
      "a|b",
      "(a)(b)?",
      "[ab]{2,4}",
      "(?i)k{2}",
      ".",
      "(?s).",
      "(?:ab|c){3}",
      "a??b",
    ]) {
      const { maxMatchLength, matchesWhole, canMatchEmpty } = compileOnRe2(source);
      const texts = ["", "a", "b", "c", "ab", "abab", "ababab", "kK", "aaaa", "aaaaa", "\n"];
      const longest = Math.max(...texts.filter(matchesWhole).map((text) => text.length));
      expect([source, longest]).toEqual([source, maxMatchLength]);
      expect(matchesWhole("")).toBe(canMatchEmpty);
    }
  });
});

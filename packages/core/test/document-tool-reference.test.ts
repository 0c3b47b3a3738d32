import { describe, expect, it } from "vitest";
import {
  checkName,
  checkToolId,
  compileToolMatcher,
  parseToolPattern,
} from "../src/document/tool-reference.js";

describe("a tool id", () => {
  it.each([
    "t",
    "database.read",
    "billing:read",
    "a/b-c_d.e",
    "x".repeat(256),
    "支払い.実行",
    "оплата.старт",
    "café",
    "cafe\u0301",
    "😀".repeat(256),
    "日本語カタカナひらがなLatin",
    "a.б",
    "구매A漢",
  ])("may be %j", (id) => expect(checkToolId(id)).toBeUndefined());

  it.each([
    ["empty", ""],
    ["257 characters long", "x".repeat(257)],
    ["257 code points long", "😀".repeat(257)],
    ["with a blank", "a b"],
    ["with a line break", "a\nb"],
    ["with a no-break space", "a\u00a0b"],
    ["with an @", "a@b"],
    ["with a *", "a*b"],
    ["with a NUL", "a\u0000b"],
    ["with an escape character", "a\u001bb"],
    ["with DEL", "a\u007fb"],
    ["with a C1 control", "a\u0085b"],
    ["with a zero-width space", "a\u200bb"],
    ["with a zero-width joiner", "a\u200db"],
    ["with a byte order mark", "\ufeffab"],
    ["with a soft hyphen", "a\u00adb"],
    ["with a right-to-left override", "a\u202eb"],
    ["with an isolate", "a\u2066b"],
    ["with a line separator", "a\u2028b"],
    ["with a variation selector", "a\ufe0fb"],
    ["with a tag character", "a\u{e0041}b"],
    ["with a Hangul filler", "a\u3164b"],
    ["with a blank Braille cell", "a\u2800b"],
    ["with a combining grapheme joiner", "a\u034fb"],
    ["with a lone surrogate", "a\ud800b"],
    ["with a private-use character", "a\ue000b"],
    ["with a noncharacter", "a\uffffb"],
    ["with a Cyrillic letter among Latin ones", "p\u0430yment.send"],
    ["with a Greek letter among Latin ones", "\u03bfpen"],
    ["with an Armenian letter among Latin ones", "\u0578pen"],
    ["with a Cherokee letter among Latin ones", "\u13aadmin"],
    ["with Cyrillic and Greek", "\u0430\u03b1"],
    ["with a full-width letter among plain ones", "\uff41dmin"],
    ["with a mathematical letter among plain ones", "\u{1d41a}dmin"],
    ["with Kana and Hangul", "\u3042\uac00"],
  ])("may not be %s", (_name, id) => expect(checkToolId(id)).toBeTypeOf("string"));

  it("is named in the message with its invisible characters spelt out", () => {
    expect(checkToolId("a\u202eb")).toContain("`a<U+202E>b`");
    expect(checkToolId("a\u202eb")).not.toContain("\u202e");
  });

  it("is judged segment by segment, so that one part may be Latin and another Cyrillic", () => {
    expect(checkToolId("db.чтение")).toBeUndefined();
    expect(checkToolId("db.чтениеx")).toContain("`чтениеx`");
  });
});

describe("a name", () => {
  it.each(["analyst", "data analyst", "аналитик", "Ärztin", "r@d", "a*"])("may be %j", (name) =>
    expect(checkName("the role name", name)).toBeUndefined(),
  );

  it.each(["", " ", "admin ", " admin", "a\tb", "a\u00a0b", "adm\u0456n", "a\u200b"])(
    "may not be %j",
    (name) => expect(checkName("the role name", name)).toMatch(/^the role name/),
  );
});

describe("a tool pattern", () => {
  it.each([
    ["*", { kind: "any" }],
    ["db", { kind: "exact", id: "db" }],
    ["db.*", { kind: "prefix", prefix: "db." }],
    ["db:*", { kind: "prefix", prefix: "db:" }],
    ["db/*", { kind: "prefix", prefix: "db/" }],
    ["a.b:c.*", { kind: "prefix", prefix: "a.b:c." }],
  ])("%j is read", (text, pattern) => expect(parseToolPattern(text)).toEqual({ ok: true, pattern }));

  it.each(["", ".*", "**", "*.read", "a.*.b", "a*", "a-*", "a.**", "@g", "@g.*", "a b.*", "*.*"])(
    "%j is refused",
    (text) => expect(parseToolPattern(text).ok).toBe(false),
  );
});

describe("a tool matcher", () => {
  it("matches exact ids exactly", () => {
    const matcher = compileToolMatcher(["db.read"]);
    expect(matcher.matches("db.read")).toBe(true);
    for (const id of ["db.Read", "db.read ", "db", "db.read.all", "", "__proto__"]) {
      expect(matcher.matches(id)).toBe(false);
    }
  });

  it("matches by prefix what is longer than the prefix", () => {
    const matcher = compileToolMatcher(["db.*", "a:b:*"]);
    for (const id of ["db.x", "db.read.all", "db..", "a:b:c"]) expect(matcher.matches(id)).toBe(true);
    for (const id of ["db", "db.", "dbx", "DB.x", "a:b:", "a:bc", "x.db.y"])
      expect(matcher.matches(id)).toBe(false);
  });

  it("matches everything with `*` and nothing without patterns", () => {
    expect(compileToolMatcher(["*"]).matches("any.thing")).toBe(true);
    expect(compileToolMatcher([]).matches("any.thing")).toBe(false);
  });

  it("agrees with a plain look at every pattern", () => {
    const parts = ["a", "b", ".", ":"];
    const ids = parts.flatMap((x) => parts.flatMap((y) => parts.flatMap((z) => [x, x + y, x + y + z])));
    const patterns = ["a.*", "a:*", "b.b", "a.:*", "ab", "::*"];
    const matcher = compileToolMatcher(patterns);
    for (const id of ids) {
      const expected = patterns.some((pattern) =>
        pattern.endsWith("*")
          ? id.startsWith(pattern.slice(0, -1)) && id.length >= pattern.length
          : id === pattern,
      );
      expect([id, matcher.matches(id)]).toEqual([id, expected]);
    }
  });

  it.each([
    [["a"], ["a"], true],
    [["a"], ["b"], false],
    [["a.b"], ["a.*"], true],
    [["a."], ["a.*"], false],
    [["a.*"], ["a.b.*"], true],
    [["a.b.*"], ["a.*"], true],
    [["a.*"], ["ab.*"], false],
    [["a.*"], ["a.*"], true],
    [["*"], ["x"], true],
    [["*"], ["*"], true],
    [["*"], [], false],
    [["x", "y.*"], ["z", "y.q"], true],
  ])("%j and %j overlap: %j", (one, other, expected) => {
    const [a, b] = [compileToolMatcher(one), compileToolMatcher(other)];
    expect([a.overlaps(b), b.overlaps(a)]).toEqual([expected, expected]);
  });
});

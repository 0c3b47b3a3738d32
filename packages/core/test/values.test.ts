import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteSize, jsonSize, utf8Size } from "../src/values/bytes.js";
import { decimalText } from "../src/values/decimal.js";
import { compare } from "../src/values/equal.js";
import { kindOf } from "../src/values/kind.js";
import { countCodePoints, isAtLeast, isAtMost } from "../src/values/length.js";

class Point {
  readonly x = 1;
}

function nested(levels: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

describe("the kind of a value", () => {
  it.each([
    [undefined, "absent"],
    [null, "null"],
    [true, "boolean"],
    [Number.NaN, "number"],
    [5n, "bigint"],
    ["", "string"],
    [[], "list"],
    [{}, "mapping"],
    [Object.create(null), "mapping"],
    [new Set(), "set"],
    [new Map(), "other"],
    [new Date(), "other"],
    [new Point(), "other"],
    [new String("a"), "other"],
    [Object(1n), "other"],
    [() => 1, "other"],
    [Symbol("a"), "other"],
    [/a/, "other"],
    [new Error("a"), "other"],
    [Promise.resolve(), "other"],
    [new Uint8Array(1), "other"],
    [Object.create({ role: "admin" }), "other"],
    [Object.create(Object.create(null, { role: { value: "admin" } })), "other"],
    [new (class extends Set {})(), "other"],
    [Object.create(Set.prototype), "other"],
  ])("of case %# is told without reading it", (value, kind) => {
    expect(kindOf(value)).toBe(kind);
  });

  it("is the same for plain data of another realm", () => {
    expect(kindOf(runInNewContext("({ a: 1 })"))).toBe("mapping");
    expect(kindOf(runInNewContext("[1]"))).toBe("list");
    expect(kindOf(runInNewContext("new Date()"))).toBe("other");
  });
});

describe("comparing", () => {
  it.each([
    [1, 1, "equal"],
    [1, true, "different"],
    [true, 1, "different"],
    [0, false, "different"],
    [-0, 0, "equal"],
    [5n, 5, "equal"],
    [5n, 5.5, "different"],
    [9007199254740993n, 9007199254740992, "different"],
    [[5n, { a: 6n }], [5, { a: 6 }], "equal"],
    ["5", 5, "different"],
    [Number.NaN, 5, "different"],
    [null, null, "equal"],
    [null, 0, "different"],
    [[1, 2], [2, 1], "different"],
    [[1], [1, 2], "different"],
    [[], {}, "different"],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, "equal"],
    [{ a: 1, b: undefined }, { a: 1 }, "equal"],
    [{ b: undefined }, { a: 1 }, "different"],
    [{ a: 1 }, { a: 1, b: null }, "different"],
    [new String("a"), "a", "unclear"],
    [[new String("a")], ["a"], "unclear"],
    [[new String("a"), 1], ["a", 2], "different"],
    [{ a: new Point() }, { a: { x: 1 } }, "unclear"],
    [new Point(), { x: 1 }, "unclear"],
    [() => 1, 1, "unclear"],
    [Object.create({ a: 1 }), { a: 1 }, "unclear"],
    [{}, { constructor: 1 }, "different"],
  ])("case %# is decided", (value, operand, answer) => {
    expect(compare(value, operand)).toBe(answer);
  });

  it("takes `__proto__` for a key", () => {
    const operand = JSON.parse('{"__proto__": {"a": 1}}');
    expect(compare(JSON.parse('{"__proto__": {"a": 1}}'), operand)).toBe("equal");
    expect(compare(JSON.parse('{"__proto__": {"a": 2}}'), operand)).toBe("different");
    expect(compare({}, operand)).toBe("different");
  });

  it("goes no deeper than the operand into a value that contains itself", () => {
    const value: unknown[] = [];
    value.push(value);
    expect(compare(value, [[[1]]])).toBe("different");
  });
});

describe("length", () => {
  it.each([
    ["", 0],
    ["abc", 3],
    ["😀😀", 2],
    ["\ud83d", 1],
    ["\ude00\ud83d", 2],
    ["e\u0301", 2],
  ])("of %j is %d code points", (text, length) => {
    expect(countCodePoints(text)).toBe(length);
  });

  it("of lists and mappings counts items and entries, and nothing else has one", () => {
    expect([isAtLeast([1, 2], 2), isAtLeast([1, 2], 3)]).toEqual([true, false]);
    expect([isAtMost({ a: 1 }, 1), isAtMost({ a: 1 }, 0)]).toEqual([true, false]);
    for (const value of [5, 5n, true, null, new Point(), new Set([1]), new String("abc")]) {
      expect([isAtLeast(value, 0), isAtMost(value, 9)]).toEqual([undefined, undefined]);
    }
  });

  it("agrees with the code points that iteration gives, for every text and bound", () => {
    const text = fc
      .array(fc.constantFrom("a", "é", "😀", "\ud83d", "\ude00"), { maxLength: 8 })
      .map((it) => it.join(""));
    fc.assert(
      fc.property(text, fc.nat(12), (sample, bound) => {
        const length = Array.from(sample).length;
        expect([isAtLeast(sample, bound), isAtMost(sample, bound)]).toEqual([
          length >= bound,
          length <= bound,
        ]);
      }),
    );
  });
});

describe("byte size", () => {
  it("of plain data is that of its JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        const size = Buffer.byteLength(JSON.stringify(value));
        expect(jsonSize(value, 1e9)).toBe(size);
        for (const limit of [0, size - 1, size, size + 1]) {
          expect((jsonSize(value, limit) ?? -1) <= limit).toBe(size <= limit);
        }
      }),
    );
  });

  it("counts escapes, control characters and lone surrogates as JSON writes them", () => {
    for (const text of [
      '"',
      "\\",
      "\n\t\b\f\r",
      "\u0000\u001f",
      "\u007f",
      "é",
      "\u2028",
      "😀",
      "\ud83d",
      "\ude00x",
    ]) {
      expect(jsonSize([text], 1e9)).toBe(Buffer.byteLength(JSON.stringify([text])));
    }
  });

  it("of a string by itself leaves out quotes and escapes", () => {
    expect(byteSize('a"é😀', 100)).toBe(8);
    expect(utf8Size("\ud83d", 100)).toBe(3);
    expect(byteSize("x".repeat(100), 5)).toBeGreaterThan(5);
  });

  it("leaves out a key without a value", () => {
    expect(jsonSize({ a: undefined, b: 1, c: undefined, d: 2 }, 100)).toBe('{"b":1,"d":2}'.length);
  });

  it.each([
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [5n],
    [undefined],
    [[undefined]],
    [new Array(2)],
    [{ a: () => 1 }],
    [new Date(0)],
    [{ toJSON: () => 1 }],
    [new Map()],
    [new Number(1)],
  ])("does not exist for what JSON cannot hold, case %#", (value) => {
    expect(byteSize(value, 1e9)).toBeUndefined();
  });

  it("does not exist beyond 128 levels, nor for a cycle", () => {
    expect(jsonSize(nested(128), 1e9)).toBe(257);
    expect(jsonSize(nested(129), 1e9)).toBeUndefined();
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(jsonSize(cycle, 1e9)).toBeUndefined();
  });

  it("stops at the limit, however often a part is shared", () => {
    let value: unknown = "x";
    for (let level = 0; level < 100; level++) value = [value, value];
    expect(jsonSize(value, 1000)).toBeGreaterThan(1000);
  });
});

describe("decimal text", () => {
  it.each([
    [0, "0"],
    [-0, "0"],
    [-1.5, "-1.5"],
    [4111111111111111, "4111111111111111"],
    [1e21, "1000000000000000000000"],
    [-1.25e22, "-12500000000000000000000"],
    [1e23, "100000000000000000000000"],
    [1e-7, "0.0000001"],
    [-1.5e-9, "-0.0000000015"],
    [12345678901234567890n, "12345678901234567890"],
    [Number.NaN, undefined],
    [Number.NEGATIVE_INFINITY, undefined],
  ])("of %s is %s", (value, text) => {
    expect(decimalText(value)).toBe(text);
  });

  it("names the same number, without exponent", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = decimalText(value) ?? "";
        expect(text).toMatch(/^-?[0-9]+(?:\.[0-9]+)?$/);
        expect(Number(text) + 0).toBe(value + 0);
      }),
    );
  });
});

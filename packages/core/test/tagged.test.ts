import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../src/canonical/canonical-json.js";
import { decodeTagged, encodeTagged, MAX_TAGGED_DEPTH, TaggedError } from "../src/canonical/tagged.js";
import { UnwrittenValue } from "../src/canonical/unwritten.js";

const text = (value: unknown) => canonicalJson(encodeTagged(value));
const trap = () => {
  throw new Error("code of the value ran");
};

/** Round trip through the text of a record. */
const readBack = (value: unknown) => decodeTagged(JSON.parse(text(value)));

describe("the tagged encoding", () => {
  it("leaves canonical data as it is", () => {
    expect(text({ b: [1, "x", null, true], a: {} })).toBe('{"a":{},"b":[1,"x",null,true]}');
  });

  it("writes every other number as the shortest decimal text", () => {
    const numbers = [0.1, -0, 1e21, 2 ** 53, 5e-324, Number.NaN, Infinity, -Infinity];
    const texts = ["0.1", "-0", "1e+21", "9007199254740992", "5e-324", "NaN", "Infinity", "-Infinity"];
    expect(numbers.map(text)).toEqual(texts.map((number) => `{"$float":"${number}"}`));
    for (const number of numbers) expect(readBack(number)).toBe(number);
  });

  it("keeps a bigint apart from the same number", () => {
    expect(text([1, 1n, 2n ** 53n])).toBe('[1,{"$bigint":"1"},{"$bigint":"9007199254740992"}]');
    expect(readBack(-(10n ** 30n))).toBe(-(10n ** 30n));
    expect(readBack(10n ** 400n - 1n)).toBe(10n ** 400n - 1n);
  });

  it("keeps undefined apart from null and from an absent key", () => {
    expect(new Set([{ a: undefined }, { a: null }, {}].map(text)).size).toBe(3);
    expect(readBack([undefined])).toEqual([undefined]);
    expect(Object.keys(Object(readBack({ a: undefined })))).toEqual(["a"]);
  });

  it("escapes keys that look like tags", () => {
    expect(text({ $float: "0.1" })).toBe('{"$$float":"0.1"}');
    expect(text({ $: 1, $$kind: 2 })).toBe('{"$$":1,"$$$kind":2}');
    for (const look of [{ $float: "0.1" }, { $undefined: true }, { $kind: "date" }, { $$float: "0.1" }]) {
      expect(readBack(look)).toEqual(look);
    }
  });

  it("writes an own key `__proto__` like any other, and reads it back as an own key", () => {
    const value: unknown = JSON.parse('{"__proto__":{"admin":0.5}}');
    expect(text(value)).toBe('{"__proto__":{"admin":{"$float":"0.5"}}}');
    expect(Object.keys(Object(readBack(value)))).toEqual(["__proto__"]);
  });

  class Point {}
  const wall = new Proxy(
    {},
    { getPrototypeOf: trap, getOwnPropertyDescriptor: trap, ownKeys: trap, has: trap, get: trap },
  );
  const kinds: [string, unknown][] = [
    ["function", trap],
    ["symbol", Symbol("s")],
    ["long_integer", -(10n ** 400n)],
    ["ill_formed_string", "a\ud800"],
    ["ill_formed_key", { "\udc00": 1 }],
    ["hidden_key", { [Symbol("s")]: 1 }],
    ["hidden_key", Object.defineProperty({}, "a", { value: 1 })],
    ["hidden_key", Object.assign([1], { a: 1 })],
    ["hidden_key", Object.assign([], { a: 1 })],
    ["sparse_list", Array(4294967295)],
    ["sparse_list", Object.assign(Array(1), { a: 1 })],
    ["proxy", wall],
    ["date", new Date(Number.NaN)],
    ["map", new Map()],
    ["set", new Set()],
    ["bytes", new Uint8Array(1)],
    ["bytes", Buffer.from("a")],
    ["bytes", new ArrayBuffer(1)],
    ["object", new Point()],
    ["object", new String("a")],
    ["object", Promise.resolve(1)],
    ["object", new (class extends Array {})()],
    ["unreadable", Object.create(wall)],
  ];
  for (const [kind, value] of kinds) {
    it(`tags by its kind what cannot be written down: ${kind}`, () => {
      expect(text([value])).toBe(`[{"$kind":"${kind}"}]`);
    });
  }

  it("tags an accessor without running it, and writes what stands beside it", () => {
    const value = {
      a: 1,
      get b() {
        return trap();
      },
      set c(_value: unknown) {
        trap();
      },
    };
    expect(text(value)).toBe('{"a":1,"b":{"$kind":"accessor"},"c":{"$kind":"accessor"}}');
    expect(text(Object.defineProperty([1, 2], 1, { get: trap, enumerable: true }))).toBe(
      '[1,{"$kind":"accessor"}]',
    );
  });

  it("tags a cycle where it closes, and no shared object", () => {
    const shared = { b: 1 };
    const mapping: Record<string, unknown> = { shared: [shared, shared] };
    mapping["self"] = [mapping];
    expect(text(mapping)).toBe('{"self":[{"$kind":"cycle"}],"shared":[{"b":1},{"b":1}]}');
  });

  it("writes 112 levels and tags the containers below them", () => {
    const nested = (levels: number, inner: unknown) => {
      let value = inner;
      for (let level = 0; level < levels; level++) value = [value];
      return value;
    };
    const deepest = nested(MAX_TAGGED_DEPTH, 0.5);
    expect(readBack(deepest)).toEqual(deepest);
    expect(text(nested(MAX_TAGGED_DEPTH, []))).toContain('[{"$kind":"depth"}]');
    expect(text(nested(100_000, 1))).toBe(text(nested(MAX_TAGGED_DEPTH, [])));
    expect(canonicalJson(nested(15, encodeTagged(nested(200, {}))))).toContain("depth");
  });

  it("reads a kind back as something that is written as the same kind", () => {
    const read = readBack({ a: new Date(0) });
    expect(read).toEqual({ a: expect.any(UnwrittenValue) });
    expect(text(read)).toBe('{"a":{"$kind":"date"}}');
    expect(new UnwrittenValue("map").kind).toBe("map");
  });

  it("takes nothing that is only dressed as an unwritten value for one", () => {
    const dressed = Object.create(UnwrittenValue.prototype, { kind: { get: trap } });
    expect(text(dressed)).toBe('{"$kind":"object"}');
  });
});

describe("reading the tagged encoding", () => {
  const bad: [string, unknown][] = [
    ["a bare float", 0.5],
    ["a bare negative zero", -0],
    ["an unsafe integer", 2 ** 53],
    ["a bare bigint", 1n],
    ["undefined", undefined],
    ["a hole", Array(1)],
    ["an ill-formed string", "\ud800"],
    ["an ill-formed key", { "\ud800": 1 }],
    ["an unknown tag", { $date: "x" }],
    ["a lone `$`", { $: 1 }],
    ["a tag beside another key", { $float: "0.5", a: 1 }],
    ["two tags", { $float: "0.5", $bigint: "1" }],
    ["a float that is a safe integer", { $float: "1" }],
    ["a float in another spelling", { $float: "0.50" }],
    ["a float that is no text", { $float: 0.5 }],
    ["a float that is no number", { $float: "x" }],
    ["an empty float", { $float: "" }],
    ["a bigint with a leading zero", { $bigint: "01" }],
    ["a negative zero bigint", { $bigint: "-0" }],
    ["a bigint in hex", { $bigint: "0x1" }],
    ["a bigint of 401 digits", { $bigint: "1".repeat(401) }],
    ["an undefined that is not true", { $undefined: false }],
    ["an unknown kind", { $kind: "toString" }],
    ["a class instance", new Date(0)],
  ];
  for (const [name, value] of bad) {
    it(`refuses ${name}`, () => {
      expect(() => decodeTagged([value])).toThrow(TaggedError);
    });
  }

  it("refuses containers deeper than they are written", () => {
    let value: unknown = [];
    for (let level = 1; level < MAX_TAGGED_DEPTH; level++) value = [value];
    expect(decodeTagged(value)).toEqual(value);
    expect(() => decodeTagged([value])).toThrow(TaggedError);
    expect(() => decodeTagged(JSON.parse("[".repeat(5000) + "]".repeat(5000)))).toThrow(TaggedError);
  });
});

const keys = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "$",
    "$$",
    "$float",
    "$$float",
    "$bigint",
    "$undefined",
    "$kind",
    "__proto__",
    "constructor",
  ),
);
const { tree: data } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, undefined, -0, Number.NaN, 0, 1, 1n, 0n, true, false, "", "1", "0.5", "NaN"),
    fc.double(),
    fc.maxSafeInteger(),
    fc.bigInt(),
    fc.string({ unit: "binary" }),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(keys, tie("tree"), { maxKeys: 4 }),
  ),
}));

/** Equality as the encoding promises it: `1`, `1n`, `-0`, `0`, null, undefined and absent are all different. */
function same(left: unknown, right: unknown): boolean {
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
    return Object.is(left, right);
  }
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const fields = new Map<string, unknown>(Object.entries(right));
  const entries = Object.entries(left);
  return (
    entries.length === fields.size &&
    entries.every(([key, value]) => fields.has(key) && same(value, fields.get(key)))
  );
}

describe("any data, floats, bigints and tag-like keys included", () => {
  it("comes back from the text of its encoding", () => {
    fc.assert(
      fc.property(data, (value) => same(readBack(value), value)),
      { numRuns: 500 },
    );
  });

  it("has another text than any different data", () => {
    fc.assert(
      fc.property(data, data, (left, right) => (text(left) === text(right)) === same(left, right)),
      { numRuns: 1000 },
    );
  });

  it("has another text than its own encoding, unless that is the data itself", () => {
    fc.assert(
      fc.property(data, (value) => {
        const encoded = encodeTagged(value);
        return (text(encoded) === text(value)) === same(encoded, value);
      }),
    );
  });
});

describe("anything at all", () => {
  it("is encoded without an exception, to data that has a canonical text", () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      withUnicodeString: false,
    });
    fc.assert(
      fc.property(anything, (value) => {
        const once = text(value);
        // Reading back loses nothing but what stands there as its kind, so a second round changes nothing.
        expect(text(decodeTagged(JSON.parse(once)))).toBe(once);
      }),
    );
  });
});

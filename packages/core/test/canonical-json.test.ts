import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  CanonicalError,
  canonicalJson,
  digest,
  isHexDigest,
  prefixDigest,
} from "../src/canonical/canonical-json.js";

function refusal(value: unknown): CanonicalError {
  try {
    canonicalJson(value);
  } catch (error) {
    if (error instanceof CanonicalError) return error;
    throw error;
  }
  throw new Error("the value was not refused");
}

const nested = (levels: number): unknown => {
  let value: unknown = [];
  for (let level = 1; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

/** Hides a property of an own object from enumeration, or gives it an accessor. */
const withProperty = (target: object, key: PropertyKey, property: PropertyDescriptor): object =>
  Object.defineProperty(target, key, property);

const trap = () => {
  throw new Error("code of the value ran");
};

describe("numbers", () => {
  it("writes safe integers as they are and refuses every other number", () => {
    expect(canonicalJson([0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])).toBe(
      "[0,-1,9007199254740991,-9007199254740991]",
    );
    for (const number of [0.5, -0, 2 ** 53, 1e21, 5e-324, Number.NaN, Infinity, -Infinity]) {
      expect(refusal([number]).path).toEqual([0]);
    }
  });

  it("writes a bigint as the integer that it is, up to 400 digits", () => {
    expect(canonicalJson([1n, -0n, 10n ** 21n, -(2n ** 63n)])).toBe(
      "[1,0,1000000000000000000000,-9223372036854775808]",
    );
    const longest = 10n ** 400n - 1n;
    expect(canonicalJson(-longest)).toBe(`-${"9".repeat(400)}`);
    refusal(longest + 1n);
    refusal(-longest - 1n);
  });
});

describe("text", () => {
  it("escapes all but printable ASCII, in lower case, and leaves the slash alone", () => {
    expect(canonicalJson('\u001f "\\/~\u007f\u0080\u00ff\u2028\u2029\uffff')).toBe(
      '"\\u001f \\"\\\\/~\\u007f\\u0080\\u00ff\\u2028\\u2029\\uffff"',
    );
    expect(canonicalJson("\b\t\n\f\r\v\0")).toBe('"\\b\\t\\n\\f\\r\\u000b\\u0000"');
    expect(canonicalJson("\u{1f600}")).toBe('"\\ud83d\\ude00"');
  });

  it("keeps composed and decomposed letters apart", () => {
    expect(canonicalJson("\u00e9")).not.toBe(canonicalJson("e\u0301"));
  });

  it("refuses a surrogate without its partner, in values and in keys", () => {
    for (const text of ["\ud800", "\udc00", "a\udbff", "\udc00\ud800", "\ud83d\ud83d\ude00", "\ud800a"]) {
      expect(refusal({ a: text }).path).toEqual(["a"]);
      expect(refusal({ [text]: 1 }).path).toEqual([text]);
    }
  });
});

describe("keys", () => {
  it("stand in code point order, not in the order of UTF-16 units, of insertion or of indexes", () => {
    const value = {
      "\u{10000}": 1,
      "\uffff": 2,
      "\ue000": 3,
      "\ud7ff": 4,
      b: 5,
      "9": 6,
      "10": 7,
      B: 8,
      "": 9,
    };
    expect(canonicalJson(value)).toBe(
      '{"":9,"10":7,"9":6,"B":8,"b":5,"\\ud7ff":4,"\\ue000":3,"\\uffff":2,"\\ud800\\udc00":1}',
    );
  });

  it("are sorted alike below and above the length at which the way of sorting changes", () => {
    for (const size of [39, 40, 41, 42, 300]) {
      const names = Array.from({ length: size }, (_, index) => `k${(index * 7919) % size}`);
      const text = canonicalJson(Object.fromEntries(names.map((name) => [name, 0])));
      expect(text).toBe(
        `{${names
          .sort()
          .map((name) => `"${name}":0`)
          .join(",")}}`,
      );
    }
  });

  it("may be `__proto__` and other names of Object.prototype", () => {
    const value: unknown = JSON.parse('{"toString":1,"__proto__":{"admin":true},"constructor":2}');
    expect(canonicalJson(value)).toBe('{"__proto__":{"admin":true},"constructor":2,"toString":1}');
    expect(canonicalJson(Object.create(null))).toBe("{}");
  });
});

describe("what is not data", () => {
  class Point {
    x = 1;
  }
  class List extends Array {}
  const cases: [string, unknown][] = [
    ["undefined", undefined],
    ["a function", trap],
    ["a symbol", Symbol("s")],
    ["a Map", new Map([["a", 1]])],
    ["a Set", new Set([1])],
    ["a WeakMap", new WeakMap()],
    ["a Date", new Date(0)],
    ["an invalid Date", new Date(Number.NaN)],
    ["a pattern", /a/],
    ["an error", new Error("e")],
    ["a promise", Promise.resolve(1)],
    ["a typed array", new Uint8Array([1])],
    ["a buffer", Buffer.from("a")],
    ["a boxed string", new String("a")],
    ["a boxed number", new Number(1)],
    ["a boxed boolean", new Boolean(true)],
    ["a boxed bigint", Object(1n)],
    ["a class instance", new Point()],
    ["an array of a subclass", List.from([1])],
    ["an array with another array as prototype", Object.setPrototypeOf([1], [2])],
    ["an object that inherits", Object.create({ a: 1 })],
    ["an object with an inherited toJSON", Object.create({ toJSON: () => 1 })],
    ["an object with an own toJSON", { toJSON: () => 1 }],
    ["a symbol key", { [Symbol("s")]: 1 }],
    ["a symbol key on an array", Object.assign([1], { [Symbol("s")]: 1 })],
    ["a hidden key", withProperty({}, "a", { value: 1 })],
    [
      "a getter",
      {
        get a() {
          return trap();
        },
      },
    ],
    [
      "a setter",
      {
        set a(_value: unknown) {
          trap();
        },
      },
    ],
    ["a getter as an item", withProperty([1], 0, { get: trap, enumerable: true })],
    ["a setter as an item", withProperty([1], 0, { set: trap, enumerable: true })],
    ["a hole", Array(1)],
    ["a hole before an item", Object.assign(Array(2), { 1: 1 })],
    ["a hole made up for by a key", Object.assign(Array(1), { a: 1 })],
    ["a huge empty array", Array(4294967295)],
    ["an array with a further key", Object.assign([1], { a: 1 })],
    ["an array with a hidden key", withProperty([1], "raw", { value: 1 })],
    ["an empty array with a further key", Object.assign([], { a: 1 })],
    [
      "arguments",
      (function (..._names: unknown[]) {
        // biome-ignore lint/complexity/noArguments: it is what is tried here
        return arguments;
      })(1),
    ],
    ["a namespace object", Math],
    ["a proxy of an object", new Proxy({}, { ownKeys: trap, getPrototypeOf: trap, get: trap })],
    ["a proxy of an array", new Proxy([1], { ownKeys: trap, getPrototypeOf: trap, get: trap })],
  ];
  for (const [name, value] of cases) {
    it(`refuses ${name}, alone and inside`, () => {
      expect(refusal(value).code).toBe("not_canonical");
      expect(refusal({ a: [0, value] }).path.slice(0, 2)).toEqual(["a", 1]);
    });
  }

  it("refuses an undefined property instead of dropping it", () => {
    expect(refusal({ a: undefined }).path).toEqual(["a"]);
    expect(refusal([undefined]).path).toEqual([0]);
  });

  it("does not call a toJSON that someone put on a shared prototype", () => {
    withProperty(Array.prototype, "toJSON", { value: trap, configurable: true });
    withProperty(Object.prototype, "toJSON", { value: trap, configurable: true });
    try {
      expect(canonicalJson([{ a: [1] }])).toBe('[{"a":[1]}]');
    } finally {
      Reflect.deleteProperty(Array.prototype, "toJSON");
      Reflect.deleteProperty(Object.prototype, "toJSON");
    }
  });
});

describe("shape", () => {
  it("takes plain objects and arrays of another realm, and none of its class instances", () => {
    expect(canonicalJson(runInNewContext("({ a: [1, { b: null }] })"))).toBe('{"a":[1,{"b":null}]}');
    refusal(runInNewContext("new Date(0)"));
    refusal(runInNewContext("new (class extends Array {})()"));
  });

  it("takes 128 levels and refuses the next", () => {
    expect(canonicalJson(nested(128))).toContain("[]");
    expect(refusal(nested(129)).path).toHaveLength(128);
  });

  it("refuses cycles, however often a container holds itself", () => {
    const cycle: Record<string, unknown> = {};
    for (const key of ["a", "b", "c"]) cycle[key] = cycle;
    expect(refusal(cycle).path).toHaveLength(128);
  });

  it("writes an object that is shared as often as it occurs", () => {
    const shared = { b: 1 };
    expect(canonicalJson([shared, shared])).toBe('[{"b":1},{"b":1}]');
  });

  it("says where the fault is, and keeps keys and values out of the message", () => {
    const error = refusal({ "secret-key": [1, { "other-key": "secret-value\ud800" }] });
    expect(error.path).toEqual(["secret-key", 1, "other-key"]);
    expect(error.message).not.toMatch(/secret|other/);
  });

  it("reports the same fault whatever the order in which keys were written", () => {
    expect(refusal({ b: undefined, a: 0.5 }).path).toEqual(["a"]);
    expect(refusal({ a: 0.5, b: undefined }).path).toEqual(["a"]);
  });
});

describe("digests", () => {
  it("are bare lower-case hex", () => {
    const bare = digest({});
    expect(bare).toBe("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    expect(isHexDigest(bare)).toBe(true);
    expect(prefixDigest(bare)).toBe(`sha256:${bare}`);
  });

  it("are told from anything else", () => {
    const bare = digest(null);
    for (const other of [`sha256:${bare}`, bare.toUpperCase(), bare.slice(1), `${bare}\n`, null, 1]) {
      expect(isHexDigest(other)).toBe(false);
    }
  });
});

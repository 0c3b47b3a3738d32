import { runInNewContext } from "node:vm";
import { describe, expect, it, vi } from "vitest";
import { release, released } from "./output-planning.js";

const REDACTED = "[REDACTED]";
const RULES = { ssn: { action: "filter" } };
const SECRET = { t: { matches: "secret", action: "redact" } };

function hidden(holder: object, key: PropertyKey, value: unknown): object {
  return Object.defineProperty(holder, key, { value, enumerable: false });
}

function holed(): unknown[] {
  const list: unknown[] = [1];
  list[2] = 2;
  return list;
}

function nested(levels: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < levels; level++) value = [value];
  return value;
}

class Row {
  ssn = 1;
}
class Rows extends Array {}
class Dated extends Date {}
class Mapped extends Map {}

const uninspectable: readonly (readonly [string, () => unknown])[] = [
  [
    "a cycle",
    () => {
      const a: Record<string, unknown> = {};
      a["b"] = [a];
      return a;
    },
  ],
  [
    "a cycle with many ways into it",
    () => {
      const a: Record<string, unknown> = {};
      a["b"] = a;
      a["c"] = a;
      return a;
    },
  ],
  [
    "a getter",
    () => ({
      get ssn() {
        throw new Error("called");
      },
    }),
  ],
  ["a setter alone", () => ({ set ssn(_: unknown) {} })],
  [
    "a getter of a list item",
    () =>
      Object.defineProperty([1, 2], 0, {
        get: () => {
          throw new Error("called");
        },
        enumerable: true,
      }),
  ],
  ["a setter of a list item", () => Object.defineProperty([1, 2], 0, { set() {}, enumerable: true })],
  [
    "a proxy",
    () =>
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("called");
          },
        },
      ),
  ],
  ["a proxy of a list", () => new Proxy([1], {})],
  [
    "a revoked proxy",
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
  ],
  ["a symbol as a key", () => ({ [Symbol("k")]: 1 })],
  ["a hidden symbol as a key", () => hidden({}, Symbol("k"), 1)],
  ["a hidden key", () => hidden({ a: 1 }, "ssn", 2)],
  ["a hidden key of a list", () => hidden([1], "ssn", 2)],
  ["a key of a list", () => Object.assign([1], { ssn: 2 })],
  ["a symbol key of a list", () => Object.assign([1], { [Symbol("k")]: 2 })],
  ["a match of a pattern", () => /a/.exec("a")],
  ["a hole", () => holed()],
  ["a hole made up for by a key", () => Object.assign(holed(), { ssn: 2 })],
  ["depth beyond 128", () => nested(129)],
  ["a class instance", () => new Row()],
  ["an instance of a list class", () => new Rows()],
  ["an object above another", () => Object.create({ ssn: 1 })],
  [
    "an object above one without prototype",
    () => Object.create(Object.assign(Object.create(null), { ssn: 1 })),
  ],
  ["a function", () => () => 1],
  ["a symbol", () => Symbol("k")],
  ["a promise", () => Promise.resolve(1)],
  ["an iterator", () => [1][Symbol.iterator]()],
  [
    "a generator",
    () =>
      (function* () {
        yield 1;
      })(),
  ],
  [
    "an async generator",
    () =>
      (async function* () {
        yield 1;
      })(),
  ],
  ["an error", () => new Error("x")],
  ["a pattern", () => /x/],
  ["a boxed string", () => new String("x")],
  ["a weak map", () => new WeakMap()],
  ["an invalid date", () => new Date(Number.NaN)],
  ["a date with own keys", () => Object.assign(new Date(0), { ssn: 1 })],
  ["an instance of a date class", () => new Dated()],
  ["something dressed as a date", () => Object.create(Date.prototype)],
  ["something dressed as a map", () => Object.create(Map.prototype)],
  ["something dressed as bytes", () => Object.create(Uint8Array.prototype)],
  ["an instance of a map class", () => new Mapped()],
  ["a map with other keys", () => new Map<unknown, unknown>([[1, 2]])],
  ["a map with own keys", () => Object.assign(new Map(), { ssn: 1 })],
  ["a map with a method of its own", () => Object.assign(new Map(), { forEach() {} })],
  ["a map with a class instance", () => new Map([["a", new Row()]])],
  ["a set with a proxy", () => new Set([new Proxy({}, {})])],
  ["shared memory", () => new Uint8Array(new SharedArrayBuffer(2))],
  ["bytes with own keys", () => Object.assign(new Uint8Array(2), { ssn: 1 })],
];

describe("what cannot be inspected is refused", () => {
  it.each(uninspectable)("%s", (_, make) => {
    for (const wrap of [(v: unknown) => v, (v: unknown) => ({ a: [v] }), (v: unknown) => ({ ssn: v })]) {
      expect(release(wrap(make()), RULES)).toMatchObject({
        ok: false,
        reason: "output_validation",
        detail: "not_inspectable",
        violations: [{ path: "$", operator: "not_inspectable" }],
      });
    }
  });

  it("without running an accessor, a trap or a method of the value", () => {
    const called = vi.fn();
    const trap = new Proxy(
      {},
      { get: () => called, ownKeys: called, getPrototypeOf: called, getOwnPropertyDescriptor: called },
    );
    const values = [
      {
        get a() {
          called();
          return 1;
        },
        set a(_) {
          called();
        },
      },
      [{ ssn: 1 }, trap],
      { a: new Proxy([], { get: called, ownKeys: called }) },
      { toJSON: called, a: 1 },
      Object.assign(new Date(0), { toISOString: called }),
      Object.assign(new Set([1]), { forEach: called, [Symbol.iterator]: called }),
      Object.defineProperty(new Uint8Array(1), "buffer", { get: called }),
      { a: { next: called } },
    ];
    for (const value of values) expect(release(value, RULES)).toMatchObject({ detail: "not_inspectable" });
    expect(called).not.toHaveBeenCalled();
  });

  it("an inherited setter or a frozen `Object.prototype` has no part in copies", () => {
    const seen = vi.fn();
    Object.defineProperty(Object.prototype, "salary", { set: seen, get: () => 7, configurable: true });
    try {
      const result = released(JSON.parse('{"ssn": 1, "salary": 2}'), RULES);
      expect(Object.getOwnPropertyDescriptor(result, "salary")?.value).toBe(2);
      expect(seen).not.toHaveBeenCalled();
    } finally {
      Reflect.deleteProperty(Object.prototype, "salary");
    }
  });
});

describe("what can be inspected", () => {
  it("depth 128, shared parts, objects without prototype and of another realm", () => {
    const shared = { a: 1 };
    for (const value of [
      nested(128),
      [shared, shared],
      Object.create(null),
      runInNewContext("({ a: [1, { b: 2 }], d: new Date(0), m: new Map([['a', 1]]), u: new Uint8Array(1) })"),
    ]) {
      expect(released(value, RULES)).toBe(value);
    }
    expect(released(runInNewContext("[{ ssn: 1, b: [2] }]"), RULES)).toEqual([{ b: [2] }]);
  });

  it("shared parts nested sixty levels deep take time in line with their number", () => {
    let value: unknown = { ssn: 1, t: "a secret", n: 1 };
    for (let level = 0; level < 60; level++) value = { one: value, two: value, list: [value, value] };
    const result = released(value, RULES, { n: { max: 0, action: "filter" } }) as Record<string, unknown>;
    expect(result["one"]).toBe(result["two"]);
    expect(
      release(value, { t: { matches: "zz", action: "deny" }, $: { matches: "secret", action: "redact" } }),
    ).toMatchObject({ ok: true });
    expect(release(value, { "one.two.one": { type: "list" } })).toMatchObject({ ok: false });
    expect(release(value, { one: { matches: "secret", action: "deny" } })).toMatchObject({
      reason: "output_sanitization",
    });
    expect(
      release(value, { deny_if_patterns: ["zz"], require_fields_absent: ["zz"], max_bytes: 1000 }),
    ).toMatchObject({ violations: [{ operator: "max_bytes" }] });
  }, 10_000);

  it("a shared part that is fine near the top may be too deep further down", () => {
    const part = nested(100);
    let deep: unknown = part;
    for (let level = 0; level < 40; level++) deep = [deep];
    expect(release([part, part], RULES)).toMatchObject({ ok: true });
    expect(release([part, deep], RULES)).toMatchObject({ detail: "not_inspectable" });
  });
});

describe("values that count as others", () => {
  const date = new Date("2020-01-02T03:04:05Z");

  it("dates are their ISO text, and come back as dates where they were left alone", () => {
    expect(released({ t: date }, { t: { matches: "2020", action: "redact" } })).toEqual({
      t: `${REDACTED}-01-02T03:04:05.000Z`,
    });
    expect(release({ t: date }, { t: { startsWith: "2020", type: "string" } })).toMatchObject({ ok: true });
    const result = released({ t: date, ssn: 1 }, RULES, SECRET) as { t: unknown };
    expect(result).toEqual({ t: date });
    expect(result.t).toBe(date);
    expect(released({ t: date }, { t: { maxLength: 10, action: "truncate" } })).toEqual({ t: "2020-01-02" });
    expect(release([date], { deny_if_patterns: ["^2020"] })).toMatchObject({ ok: false });
  });

  it("maps are mappings", () => {
    const map = new Map<string, unknown>([
      ["ssn", 1],
      ["__proto__", 2],
      ["t", new Map([["x", "a secret"]])],
    ]);
    expect(JSON.stringify(released(map, RULES, SECRET))).toBe('{"__proto__":2,"t":{"x":"a [REDACTED]"}}');
    expect(released({ m: map }, { none: { action: "filter" } })).toEqual({ m: map });
    expect(release({ m: map }, { m: { type: "dict", maxLength: 3 } })).toMatchObject({ ok: true });
    expect(release(map, { "t.x": { eq: "b" } })).toMatchObject({ ok: false });
    expect(release(map, { require_fields_absent: ["x"] })).toMatchObject({ ok: false });
    expect(released({ a: map }, { "a.t.x": { action: "filter" } })).toEqual({
      a: Object.fromEntries([...map].map(([k, v]) => [k, k === "t" ? {} : v])),
    });
  });

  it("sets are lists", () => {
    const set = new Set(["a secret", "b"]);
    expect(released({ t: set }, SECRET)).toEqual({ t: [`a ${REDACTED}`, "b"] });
    expect(released({ t: set }, { t: { maxLength: 1, action: "truncate" } })).toEqual({ t: ["a secret"] });
    expect(release({ t: set }, { t: { type: "list", contains: "b" } })).toMatchObject({ ok: true });
    expect(release({ t: set }, { t: { type: "set" } })).toMatchObject({ ok: true });
    expect(release({ s: new Set([{ a: 1 }]) }, { "s.a": { min: 2 } })).toMatchObject({ ok: false });
    expect(released(new Set([{ ssn: 1 }]), RULES)).toEqual([{}]);
  });

  it("bytes are strings of one character a byte", () => {
    const buffer = Buffer.from("a secret é", "utf8");
    for (const bytes of [
      buffer,
      new Uint8Array(buffer),
      new DataView(Uint8Array.from(buffer).buffer),
      Uint8Array.from(buffer).buffer,
    ]) {
      expect(released({ t: bytes }, SECRET)).toEqual({ t: `a ${REDACTED} Ã©` });
      const kept = { t: bytes };
      expect(released(kept, { t: { matches: "nothing", action: "redact" } })).toBe(kept);
      expect(release({ t: bytes }, { deny_if_patterns: ["secret"] })).toMatchObject({ ok: false });
      expect(release({ t: bytes }, { max_bytes: 10 })).toMatchObject({ ok: false });
    }
    expect(released({ t: new Uint16Array([0x4241]) }, { t: { eq: "AB", action: "redact" } })).toEqual({
      t: REDACTED,
    });
  });

  it("whole values are judged as what they and their parts count as", () => {
    const value = { t: { when: date, tags: new Set(["a"]) } };
    const operand = { when: "2020-01-02T03:04:05.000Z", tags: ["a"] };
    expect(release(value, { t: { eq: operand } })).toMatchObject({ ok: true });
    expect(released(value, { t: { eq: operand, action: "redact" } })).toEqual({ t: REDACTED });
    expect(release(value, { max_bytes: 54 }).ok).toBe(JSON.stringify({ t: operand }).length <= 54);
  });
});

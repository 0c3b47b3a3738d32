// The bypass: a tool returns something in which the guard does not find what its reader finds: a class with accessors, a
// proxy, a map that is no map, hidden keys, a cycle, something that turns into other data when it is written down. With
// output rules such a value must be refused; and what is let out must be what was judged, while the tool's own value
// stays as it was.

import { runInNewContext } from "node:vm";
import { d2Guard } from "d2-sdk";
import { beforeAll, describe, expect, it } from "vitest";
import { asAgent, enforce, outcome, outcomeLater, permission } from "./enforce.js";

const SSN = "123-45-6789";
const given = (value: unknown): (() => unknown) => d2Guard("tool", () => value);
const filterSsn = (): Promise<void> =>
  enforce([permission("tool", { output: { ssn: { action: "filter" } } })]);

class Row {
  id = 1;
  ssn = SSN;
}
class Secretive {
  readonly #ssn = SSN;
  toJSON(): unknown {
    return { ssn: this.#ssn };
  }
}
class LateBuffer extends Uint8Array {
  get ssn(): string {
    return SSN;
  }
}
class SubMap extends Map<string, unknown> {
  override get(): string {
    return SSN;
  }
}
const lookalikePrototype = Object.assign(Object.create(null), { isPrototypeOf: 1, ssn: SSN });
const trapped = new Proxy(
  {},
  {
    getPrototypeOf: () => null,
    getOwnPropertyDescriptor: (_target, key) =>
      key === "isPrototypeOf" || key === "constructor" ? { value: Object, configurable: true } : undefined,
    get: () => SSN,
  },
);
const cycle: { self?: unknown } = {};
cycle.self = { list: [cycle] };
const revoked = Proxy.revocable({}, {});
revoked.revoke();

const uninspectable: [name: string, make: () => unknown][] = [
  ["an instance of a class", () => new Row()],
  ["an instance of a class without fields", () => new Secretive()],
  ["a list of instances", () => [{ id: 1 }, new Row()]],
  ["an instance under a key that is filtered", () => ({ ssn: new Row() })],
  ["an accessor", () => Object.defineProperty({}, "id", { get: () => SSN, enumerable: true })],
  ["an accessor in a list", () => Object.defineProperty([1], 0, { get: () => SSN, enumerable: true })],
  ["a setter", () => Object.defineProperty({}, "id", { set: () => undefined, enumerable: true })],
  ["a hidden key", () => Object.defineProperty({ id: 1 }, "ssn", { value: SSN })],
  ["a symbol as a key", () => ({ [Symbol("ssn")]: SSN })],
  ["a method", () => ({ ssn: () => SSN })],
  ["a toJSON of its own", () => ({ id: 1, toJSON: () => ({ ssn: SSN }) })],
  ["a function", () => () => SSN],
  ["a symbol", () => Symbol(SSN)],
  ["a proxy", () => new Proxy({ id: 1 }, {})],
  ["a proxy of a list", () => [new Proxy([], {})]],
  ["a revoked proxy", () => ({ a: revoked.proxy })],
  ["an object on a proxy", () => Object.create(new Proxy({}, {}))],
  ["an object on a proxy that denies being one", () => Object.create(trapped)],
  ["an object on another object", () => Object.create({ ssn: SSN })],
  [
    "an object on something that looks like the root of another realm",
    () => Object.create(lookalikePrototype),
  ],
  [
    "a list on something that looks like another realm's",
    () => Object.setPrototypeOf([1], Object.setPrototypeOf([], lookalikePrototype)),
  ],
  ["a list of a subclass", () => class Rows extends Array<unknown> {}.of(1)],
  ["a list with properties", () => Object.assign([1], { ssn: SSN })],
  ["a list with a hole", () => Object.assign([1], { length: 3 })],
  ["a cycle", () => cycle],
  [
    "a map that holds itself",
    () => {
      const map = new Map();
      return map.set("self", map);
    },
  ],
  [
    "129 levels",
    () => {
      let value: unknown = 1;
      for (let level = 0; level < 129; level += 1) value = [value];
      return value;
    },
  ],
  [
    "100,000 levels",
    () => {
      let value: unknown = 1;
      for (let level = 0; level < 100_000; level += 1) value = { value };
      return value;
    },
  ],
  ["a map with an object as a key", () => new Map([[{ ssn: SSN }, 1]])],
  ["a map with properties", () => Object.assign(new Map(), { ssn: SSN })],
  ["a map of a subclass", () => new SubMap([["id", 1]])],
  ["a map on another prototype", () => Object.setPrototypeOf(new Map([["id", 1]]), Set.prototype)],
  ["what only looks like a map", () => Object.create(Map.prototype)],
  ["what only looks like a set", () => Object.create(Set.prototype)],
  ["what only looks like a date", () => Object.create(Date.prototype)],
  ["what only looks like bytes", () => Object.create(Uint8Array.prototype)],
  ["a date with properties", () => Object.assign(new Date(0), { ssn: SSN })],
  ["an invalid date", () => new Date(Number.NaN)],
  ["a weak map", () => new WeakMap()],
  ["a weak reference", () => new WeakRef(new Row())],
  ["a regular expression", () => /123/],
  ["an error", () => new Error(SSN)],
  ["a promise inside", () => ({ rows: Promise.resolve(SSN) })],
  ["an iterator", () => [SSN].values()],
  ["an iterator inside", () => ({ rows: [SSN].values() })],
  ["an iterable that is none of the language's", () => ({ [Symbol.iterator]: () => [SSN].values() })],
  [
    "a generator",
    () =>
      (function* () {
        yield SSN;
      })(),
  ],
  [
    "an async generator inside",
    () => [
      (async function* () {
        yield SSN;
      })(),
    ],
  ],
  ["a web stream", () => new ReadableStream()],
  ["a blob", () => new Blob([SSN])],
  ["a url with credentials", () => new URL("https://user:pass@host/")],
  ["headers", () => new Headers({ ssn: SSN })],
  ["bytes with properties", () => Object.assign(new Uint8Array(1), { ssn: SSN })],
  ["bytes of a subclass", () => new LateBuffer(1)],
  ["shared bytes", () => new Uint8Array(new SharedArrayBuffer(1))],
  ["shared memory", () => new SharedArrayBuffer(1)],
  ["a boxed string", () => Object(SSN)],
  ["a boxed bigint", () => Object(1n)],
  [
    "arguments of a function",
    () =>
      (function (_: string) {
        // biome-ignore lint/complexity/noArguments: it is the value in question
        return arguments;
      })(SSN),
  ],
  ["a module's namespace", () => import("node:os")],
  ["the global object", () => ({ globalThis })],
  ["an instance from another realm", () => runInNewContext("new (class Row { ssn = 1 })()")],
  ["an accessor from another realm", () => runInNewContext("({ get id() { return 1 } })")],
];

describe("with output rules, a result that holds", () => {
  beforeAll(filterSsn);

  it.each(uninspectable)("%s is refused, also deep inside", async (_name, make) => {
    expect(await outcomeLater(given(make()))).toBe("no_context");
    const value = make();
    await asAgent(async () => {
      expect(await outcomeLater(given(value))).toBe("output_validation");
      if (value instanceof Promise) return;
      expect(outcome(given({ a: [new Map([["b", value]])] }))).toBe("output_validation");
      expect(outcome(given(new Set([{ a: value }])))).toBe("output_validation");
    });
  });

  it.each<[string, object]>([
    ["a type for the whole", { $: { type: ["dict", "list", "string", "set"] } }],
    ["a size", { max_bytes: 1_000_000 }],
    ["a pattern that is nowhere", { deny_if_patterns: ["nothing like that"] }],
    ["a field that is nowhere", { require_fields_absent: ["nothing"] }],
    ["redaction of where it is", { a: { action: "redact" } }],
    ["denial elsewhere", { "x.y": { matches: "z", action: "deny" } }],
  ])("any of these gets past no rule with %s", async (_rule, output) => {
    await enforce([permission("tool", { output })]);
    for (const [name, make] of uninspectable) {
      const value = await make();
      expect([name, asAgent(() => outcome(given({ a: value })))]).toEqual([name, "output_validation"]);
    }
  });
});

it("without output rules, what a result holds is the tool's own affair", async () => {
  await enforce([{ role: "agent", permissions: ["tool"] }]);
  for (const [, make] of uninspectable) {
    const value = await make();
    expect(Reflect.get(Object(asAgent(given({ value }))), "value")).toBe(value);
  }
});

describe("what is let out", () => {
  it("counts as what it says, in maps, sets, dates, buffers and values of other realms", async () => {
    await filterSsn();
    const foreign: unknown = runInNewContext(
      `({ ssn: 1, rows: [{ ssn: 2 }], map: new Map([["ssn", 3], ["id", 4]]) })`,
    );
    expect(asAgent(given(foreign))).toEqual({ rows: [{}], map: { id: 4 } });
    expect(
      asAgent(
        given(
          new Map<string, unknown>([
            ["ssn", 1],
            ["rows", new Set([{ ssn: 2, id: 3 }])],
          ]),
        ),
      ),
    ).toEqual({ rows: [{ id: 3 }] });
    await enforce([permission("tool", { output: { deny_if_patterns: ["6789", "^2020-01-02"] } })]);
    for (const value of [
      Buffer.from(SSN),
      new TextEncoder().encode(SSN).buffer,
      new DataView(new TextEncoder().encode(SSN).buffer),
      new Date("2020-01-02T03:04:05Z"),
      new Map([["6789", 1]]),
      new Set([new Set([SSN])]),
    ]) {
      expect(asAgent(() => outcome(given({ value })))).toBe("output_sanitization");
    }
  });

  it("is never the tool's own value changed: frozen, shared and used again, it stays as it was", async () => {
    await enforce([
      permission("tool", {
        output: { ssn: { action: "redact" }, list: { maxLength: 1, action: "truncate" } },
      }),
    ]);
    const shared = Object.freeze({ ssn: SSN, deep: Object.freeze({ id: 1 }) });
    const value = Object.freeze({
      first: shared,
      second: shared,
      list: Object.freeze([shared, shared]),
      map: new Map([["ssn", SSN]]),
    });
    const before = structuredClone(value);
    const once = asAgent(given(value)) as typeof value;
    const twice = asAgent(given(value)) as typeof value;
    expect(value).toEqual(before);
    expect(once).toEqual(twice);
    expect(once.first).toEqual({ ssn: "[REDACTED]", deep: { id: 1 } });
    expect(once.first.deep).toBe(shared.deep);
    expect(once.list).toHaveLength(1);
    expect(JSON.stringify([once, twice])).not.toContain(SSN);
    Reflect.set(once.first, "ssn", "mine");
    expect(twice.first.ssn).toBe("[REDACTED]");
    expect(shared.ssn).toBe(SSN);
  });

  it("runs no code of the value's own", async () => {
    await enforce([
      permission("tool", {
        output: { ssn: { matches: "x", action: "redact" }, $: { type: "dict" }, max_bytes: 999 },
      }),
    ]);
    let ran = 0;
    const spy = (): string => {
      ran += 1;
      return SSN;
    };
    const values: unknown[] = [
      Object.defineProperty({}, "ssn", { get: spy, enumerable: true }),
      { ssn: { toString: spy, valueOf: spy, [Symbol.toPrimitive]: spy, toJSON: spy } },
      // Whether a value is to be waited for is asked of it, so a proxy is asked once for its `then`.
      [new Proxy({}, new Proxy({}, { get: () => spy }))],
      Object.assign([1], { [Symbol.iterator]: spy, map: spy, slice: spy, length: 1 }),
      Object.defineProperty(new Map([["ssn", "x"]]), "forEach", { value: spy }),
      Object.defineProperty(new Date(0), "toISOString", { value: spy }),
      Object.defineProperty(Buffer.from("x"), "toString", { value: spy }),
      { constructor: spy, ssn: "y" },
    ];
    for (const value of values) asAgent(() => outcome(given(value)));
    expect(ran).toBe(0);
  });

  it("with its parts shared a billion times over is judged in time", async () => {
    await filterSsn();
    let value: unknown = { ssn: SSN, id: 1 };
    for (let level = 0; level < 40; level += 1) value = { a: value, b: [value] };
    let result = asAgent(given(value));
    for (let level = 0; level < 40; level += 1) {
      const inner: unknown = Reflect.get(Object(result), level % 2 === 0 ? "a" : "b");
      result = Array.isArray(inner) ? inner[0] : inner;
    }
    expect(result).toEqual({ id: 1 });
  });

  it("is no longer the same list when an item goes, and has no hole in it", async () => {
    await filterSsn();
    const rows = [{ ssn: SSN }, null, undefined, 0, [{ ssn: SSN }]];
    const result = asAgent(given(rows));
    expect(result).toEqual([{}, null, undefined, 0, [{}]]);
    expect(Object.keys(Object(result))).toHaveLength(5);
  });
});

import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { checkDocument } from "../src/document/check-document.js";
import { FaultList } from "../src/document/fault-list.js";
import { snapshotPolicy } from "../src/document/policy-snapshot.js";

const codesOf = (policy: unknown) => checkDocument(policy).faults.map((fault) => fault.code);

function nested(levels: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

describe("a policy given as an object", () => {
  it("is read without running any of its code", () => {
    const run: string[] = [];
    const trap = (name: string) => () => {
      run.push(name);
      throw new Error("ran");
    };
    const policy = {
      policies: [
        {
          get role() {
            return trap("getter")();
          },
        },
        {
          role: new Proxy(["r"], {
            get: trap("proxy get"),
            ownKeys: trap("proxy keys"),
            getOwnPropertyDescriptor: trap("proxy"),
          }),
        },
        { role: "r", toJSON: trap("toJSON") },
        { role: "r", permissions: { [Symbol.iterator]: trap("iterator") } },
      ],
    };
    expect(codesOf(policy)).toEqual([
      "not_plain_data",
      "not_plain_data",
      "unknown_key",
      "not_plain_data",
      "wrong_type",
    ]);
    expect(run).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["a class instance", { policies: new (class Policies {})() }],
    ["a Map", { policies: new Map() }],
    ["a Set", { policies: new Set() }],
    ["a Date", { metadata: { expires: new Date(0) }, policies: [] }],
    ["a boxed string", { metadata: { name: new String("n") }, policies: [] }],
    ["a function", { policies: () => [] }],
    ["a symbol", { policies: Symbol("p") }],
    ["undefined", { policies: [], metadata: undefined }],
    ["a hole in a list", { policies: Array(1) }],
    ["a regular expression", { policies: [], metadata: { name: /x/ } }],
    [
      "a revoked proxy",
      {
        policies: (() => {
          const { proxy, revoke } = Proxy.revocable([], {});
          revoke();
          return proxy;
        })(),
      },
    ],
  ])("may not hold %s", (_name, policy) => expect(codesOf(policy)).toEqual(["not_plain_data"]));

  it("may not hold itself, but may hold the same part twice", () => {
    const cycle: { policies: unknown[] } = { policies: [] };
    cycle.policies.push(cycle);
    expect(codesOf(cycle)).toEqual(["not_plain_data"]);
    const permissions = ["t"];
    expect(
      codesOf({
        policies: [
          { role: "r", permissions },
          { role: "s", permissions },
        ],
      }),
    ).toEqual([]);
  });

  it("may not be nested deeper than 100 levels, however deep it is", () => {
    for (const levels of [101, 100_000])
      expect(codesOf({ policies: [], x: nested(levels) })).toContain("too_deep");
    const operand = {
      policies: [
        { role: "r", permissions: [{ tool: "t", conditions: { input: { x: { eq: nested(91) } } } }] },
      ],
    };
    expect(codesOf(operand)).toEqual([]);
  });

  it("does not grow without bound when a small object holds the same part over and over", () => {
    let part: unknown = ["x"];
    for (let level = 0; level < 60; level++) part = [part, part];
    const faults = new FaultList();
    expect(snapshotPolicy({ policies: [], x: part }, faults, 10_000).bytes).toBeGreaterThan(10_000);
    expect(faults.hasErrors).toBe(false);
    expect(codesOf({ policies: Array(2 ** 32 - 1) })).toEqual(["too_large"]);
  });

  it("does not see inherited, hidden and symbol keys", () => {
    const policy = Object.defineProperty({ policies: [], [Symbol("s")]: 1 }, "hidden", { value: 1 });
    expect(codesOf(policy)).toEqual([]);
  });

  it("may come from another realm or have no prototype", () => {
    expect(codesOf(runInNewContext("({ policies: [{ role: 'r', permissions: ['t'] }] })"))).toEqual([]);
    expect(codesOf(Object.assign(Object.create(null), { policies: [] }))).toEqual([]);
  });

  it.each<[unknown, number]>([
    [{ metadata: { description: "é" }, policies: [] }, 47],
    [{ a: [1, true, null, "\n\u0001"], b: {} }, 37],
    [[], 2],
    [{ x: "\u{1f600}" }, 12],
  ])("counts the bytes of its compact JSON", (value, bytes) => {
    expect(new TextEncoder().encode(JSON.stringify(value)).length).toBe(bytes);
    expect(snapshotPolicy(value, new FaultList(), 1000).bytes).toBe(bytes);
  });

  it("is refused whatever it is, and nothing is thrown", () => {
    for (const value of [
      null,
      undefined,
      5,
      "text",
      5n,
      Symbol("s"),
      () => 1,
      new Proxy({}, {}),
      [],
      new Error("x"),
    ]) {
      expect(checkDocument(value).document).toBeUndefined();
    }
  });
});

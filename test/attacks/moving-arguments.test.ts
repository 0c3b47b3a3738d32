// The bypass: an argument shows the guard one thing and the tool another. It has accessors or a proxy that change their
// mind, methods that lie (`toJSON`, `valueOf`, `some`), an owner who changes it while the tool runs, places that are not
// looked at (symbols, prototypes, arguments beyond the names), or a shape that makes the guard give up.

import { setImmediate } from "node:timers/promises";
import { clearUserContext, d2Guard, getUserContext, recordFact } from "d2-sdk";
import { describe, expect, it } from "vitest";
import { asAgent, enforce, outcome, permission } from "./enforce.js";

const input = (rules: object): Promise<void> => enforce([permission("tool", { input: rules })]);
const tool = d2Guard("tool", (args: unknown) => args);
const positional = d2Guard("tool", { params: ["a", "b"] }, (...args: unknown[]) => args);
const rest = d2Guard("tool", { params: ["a", "...more"] }, (...args: unknown[]) => args);
const judged = (args: unknown): string => asAgent(() => outcome(() => tool(args)));

describe("an accessor", () => {
  it("that answers otherwise the second time is asked once, and the tool gets the answer that was judged", async () => {
    await input({ n: { max: 3 }, "deep.n": { max: 3 }, list: { contains: "a" } });
    const changing = (first: unknown, then: unknown): { asked: number; n: unknown } => {
      const holder = {
        asked: 0,
        get n() {
          holder.asked += 1;
          return holder.asked === 1 ? first : then;
        },
      };
      return Object.defineProperty(holder, "asked", { enumerable: false });
    };
    const deep = changing(3, 99);
    const args = changing(2, 99);
    const list = Object.defineProperty(["a"], 0, {
      get: () => (args.asked > 50 ? "z" : "a"),
      enumerable: true,
    });
    const received = asAgent(() => tool(Object.assign(args, { deep, list })));
    expect(received).toEqual({ n: 2, deep: { n: 3 }, list: ["a"] });
    args.asked = 100;
    expect(received).toEqual({ n: 2, deep: { n: 3 }, list: ["a"] });
    expect(deep.asked).toBe(1);
    expect(judged(changing(4, 1))).toBe("input_validation");
  });

  it("that makes guarded calls while it is read is seen by the rules on what may follow what", async () => {
    await enforce(
      [
        {
          role: "agent",
          permissions: [
            "read",
            "label",
            { tool: "post", conditions: { input: { body: { required: true } } } },
          ],
          sequence: [{ deny: ["read", "post"] }],
        },
      ],
      { data_flow: { labels: { label: ["SECRET"] }, blocks: { SECRET: ["post"], TYPED: ["post"] } } },
    );
    let sent = 0;
    const post = d2Guard("post", (_: object) => {
      sent += 1;
    });
    const through = (source: () => unknown): string =>
      asAgent(() =>
        outcome(() =>
          post({
            get body() {
              return source();
            },
          }),
        ),
      );
    expect(through(() => "nothing")).toBe("ok");
    expect(sent).toBe(1);
    expect(through(d2Guard("read", () => "rows"))).toBe("sequence_violation");
    expect(through(() => asAgent(d2Guard("read", () => "rows")))).toBe("sequence_violation");
    expect(through(d2Guard("label", () => "rows"))).toBe("data_flow_violation");
    expect(through(() => recordFact("TYPED") ?? 1)).toBe("data_flow_violation");
    expect(through(() => clearUserContext() ?? 1)).toBe("evaluation_error");
    expect(sent).toBe(1);
  });

  it("that throws is a refusal, whose words are not the thrown ones", async () => {
    await input({ n: { max: 3 } });
    const args = {
      get n(): number {
        throw new Error("hunter2");
      },
    };
    expect(() => asAgent(() => tool(args))).toThrow(/not_inspectable(?!.*hunter2)/);
  });
});

describe("a proxy", () => {
  it("is refused wherever a rule looks, and none of its traps is called", async () => {
    await input({ n: { required: true, maxLength: 3 }, "deep.n": { max: 3 }, any: { in: [[1]] } });
    const trap = (): never => {
      throw new Error("a trap was called");
    };
    const handler = new Proxy({}, { get: () => trap });
    const proxy = new Proxy({}, handler);
    const list = new Proxy([], handler);
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const it of [proxy, list, revoked]) {
      expect(judged(it)).toBe("input_validation");
      expect(judged({ n: it })).toBe("input_validation");
      expect(judged({ n: "a", deep: it })).toBe("input_validation");
      expect(judged({ n: "a", deep: [it] })).toBe("input_validation");
      expect(judged({ n: "a", deep: { n: it } })).toBe("input_validation");
      expect(judged({ n: "a", any: [it] })).toBe("input_validation");
    }
  });
});

describe("what is not plain data", () => {
  const liars: [string, unknown][] = [
    ["a boxed number", Object(1)],
    ["a boxed string", Object("ok")],
    [
      "an object with valueOf",
      new (class {
        valueOf = () => 1;
      })(),
    ],
    [
      "an object with Symbol.toPrimitive",
      new (class {
        [Symbol.toPrimitive] = () => "ok";
      })(),
    ],
    [
      "a class instance with toJSON",
      new (class {
        toJSON = () => "ok";
      })(),
    ],
    ["a date", new Date(1)],
    ["a map", new Map([["ok", 1]])],
    ["a function", () => "ok"],
    ["a symbol", Symbol("ok")],
    ["a promise", Promise.resolve("ok")],
    ["a regular expression", /ok/],
  ];
  const operators: object[] = [
    { type: ["int", "string", "list", "dict", "bool", "float", "null"] },
    { min: 0 },
    { max: 9 },
    { matches: ".*" },
    { not_matches: "x" },
    { eq: 1 },
    { ne: "x" },
    { in: ["ok", 1] },
    { not_in: ["x"] },
    { minLength: 0 },
    { maxLength: 9 },
    { max_bytes: 99 },
    { contains: "o" },
    { not_contains: "x" },
    { startsWith: "" },
    { endsWith: "" },
  ];

  it("passes no operator but required, whatever it claims", async () => {
    for (const operator of operators) {
      await input({ value: operator });
      for (const [name, value] of liars) {
        expect([name, operator, judged({ value })]).toEqual([name, operator, "input_validation"]);
      }
    }
  });

  it("does not measure by its own toJSON, nor look into it by methods of its own", async () => {
    await input({ value: { max_bytes: 20 } });
    expect(judged({ value: { long: "x".repeat(50), toJSON: () => 1 } })).toBe("input_validation");
    await input({ list: { not_contains: "bad", maxLength: 1 } });
    const lying = Object.assign(["bad"], {
      some: () => false,
      includes: () => false,
      [Symbol.iterator]: () => [].values(),
    });
    expect(judged({ list: lying })).toBe("input_validation");
    const fine = Object.assign(["good"], { join: () => "bad" });
    expect(asAgent(() => tool({ list: fine }))).toEqual({ list: ["good"] });
    class Shrunk extends Array<unknown> {
      override get length(): number {
        return 0;
      }
    }
    expect(judged({ list: Shrunk.of("bad", "bad") })).toBe("input_validation");
  });
});

describe("the caller's objects, changed while an async tool runs", () => {
  it("have no part in what the tool sees", async () => {
    await input({
      n: { max: 3 },
      "user.role": { ne: "admin" },
      list: { not_contains: "bad" },
      any: { ne: { a: 1 } },
    });
    const args = { n: 1, user: { role: "guest" }, list: ["good"], any: { a: { b: [2] } } };
    const slow = d2Guard("tool", async (it: typeof args) => {
      await setImmediate();
      return structuredClone(it);
    });
    const running = asAgent(() => slow(args));
    args.n = 99;
    args.user.role = "admin";
    args.list.push("bad");
    args.any.a.b[0] = 99;
    Reflect.set(args, "extra", 1);
    expect(await running).toEqual({ n: 1, user: { role: "guest" }, list: ["good"], any: { a: { b: [2] } } });
  });

  it("and a list of arguments that was spread is no way in either", async () => {
    await input({ a: { max: 3 }, more: { not_contains: "bad" } });
    const given: unknown[] = [1, "good"];
    const slow = d2Guard("tool", { params: ["a", "...more"] }, async (...args: unknown[]) => {
      await setImmediate();
      return args;
    });
    const running = asAgent(() => slow(...given));
    given[0] = 99;
    given.push("bad");
    expect(await running).toEqual([1, "good"]);
  });

  it("are not changed by the tool where a rule looked into them", async () => {
    await input({ "user.role": { ne: "admin" } });
    const args = { user: { role: "guest" } };
    asAgent(() => d2Guard("tool", (it: typeof args) => Object.assign(it.user, { role: "root" }))(args));
    expect(args).toEqual({ user: { role: "guest" } });
  });
});

describe("an argument in an unusual place", () => {
  it("does not count under a symbol, hidden, inherited, or in a second argument", async () => {
    await input({ n: { required: true, max: 3 } });
    class Args {
      n = 1;
    }
    const hidden = Object.defineProperty({}, "n", { value: 1 });
    for (const args of [
      { [Symbol("n")]: 1 },
      { [Symbol.for("n")]: 1 },
      hidden,
      Object.create({ n: 1 }),
      new Args(),
    ]) {
      expect(judged(args)).toBe("input_validation");
    }
    for (const args of [
      [{ n: 1 }, 2],
      [{ n: 1 }, undefined],
      [undefined, { n: 1 }],
      [[1]],
      [1],
      [null],
      [undefined],
    ]) {
      expect(asAgent(() => outcome(() => Reflect.apply(tool, undefined, args)))).toBe("input_validation");
    }
  });

  it("that is hidden does not reach the tool past the rule on it", async () => {
    await input({ n: { max: 3 } });
    const received = asAgent(() => tool(Object.defineProperty({ a: 1 }, "n", { value: 99 })));
    expect(Reflect.get(Object(received), "n")).toBeUndefined();
  });

  it("beyond the names is refused, also when it is undefined, a hole or one of very many", async () => {
    await input({ a: { max: 3 } });
    const many = new Array<unknown>(60_000).fill(1);
    for (const args of [[1, 2, 3], [1, 2, undefined], [...new Array(3)], many]) {
      expect(asAgent(() => outcome(() => positional(...args)))).toBe("input_validation");
    }
    expect(asAgent(() => outcome(() => positional(1, 2)))).toBe("ok");
  });

  it("among very many of a rest parameter is found", async () => {
    await input({ a: { max: 3 }, more: { not_contains: "bad" } });
    const many = new Array<unknown>(60_000).fill("good");
    expect(asAgent(() => rest(1, ...many))).toHaveLength(60_001);
    expect(asAgent(() => outcome(() => rest(1, ...many, "bad")))).toBe("input_validation");
  });

  it("named by the caller's own keys counts for nothing when the guard names the parameters", async () => {
    await input({ a: { max: 3 }, b: { max: 3 } });
    expect(asAgent(() => outcome(() => positional({ a: 1, b: 1 }, 1)))).toBe("input_validation");
  });
});

describe("an argument of an extreme shape", () => {
  const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
    let value: unknown = 1;
    for (let level = 0; level < levels; level += 1) value = wrap(value);
    return value;
  };
  const shapes: [string, (inner: unknown) => unknown][] = [
    ["mappings", (a) => ({ a })],
    ["lists", (item) => [item]],
    ["lists of mappings", (a) => [{ a }]],
  ];

  it.each(shapes)(
    "of %s 100,000 levels deep is refused, not followed to the end of the stack",
    async (_name, wrap) => {
      const deep = nested(100_000, wrap);
      for (const operator of [
        { eq: { a: 1 } },
        { in: [[1]] },
        { max_bytes: 10 },
        { contains: 1 },
        { ne: [[1]] },
      ]) {
        await input({ value: operator });
        expect(judged({ value: deep })).toBe("input_validation");
      }
      await input({ [`value${".a".repeat(200)}`]: { max: 0 } });
      expect(judged({ value: deep })).toBe("input_validation");
      await input({ "value.x": { max: 0, required: true } });
      expect(judged({ value: deep })).toBe("input_validation");
    },
  );

  it("that no rule looks into reaches the tool as it is", async () => {
    await input({ other: { max: 3 } });
    const deep = nested(100_000, (a) => ({ a }));
    expect(asAgent(() => tool({ deep }))).toEqual({ deep: expect.anything() as unknown });
  });

  it("that holds itself, a hole, or more holes than memory is refused at once", async () => {
    await input({ value: { max_bytes: 100 } });
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const list: unknown[] = [];
    list.push([list]);
    for (const value of [
      cycle,
      list,
      Object.assign([1, 2], { length: 3 }),
      new Array(4_294_967_295),
      [[], new Array(1)],
    ]) {
      expect(judged({ value })).toBe("input_validation");
    }
  });

  it("whose parts are shared a billion times over is judged in time", async () => {
    let shared: unknown = "x";
    for (let level = 0; level < 60; level += 1) shared = { a: shared, b: shared };
    for (const operator of [
      { max_bytes: 100 },
      { eq: { a: 1, b: 2 } },
      { in: [{ a: { a: 1, b: 1 }, b: 1 }] },
    ]) {
      await input({ value: operator });
      expect(judged({ value: shared })).toBe("input_validation");
    }
    await input({ [`value${".a".repeat(60)}`]: { eq: "y" } });
    expect(judged({ value: shared })).toBe("input_validation");
  });

  it("leaves the session as it was when it is refused", async () => {
    await input({ n: { max: 3 } });
    asAgent(() => {
      expect(outcome(() => tool({ n: 9 }))).toBe("input_validation");
      expect(getUserContext().callHistory).toEqual([]);
    });
  });
});

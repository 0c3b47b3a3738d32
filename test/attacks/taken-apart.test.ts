// The bypass: the guarded function is taken apart or called in a way that its author did not think of (`new`, `bind`,
// `Reflect`, a subclass, a tool id read from it), or its options say one thing when they are checked and another when
// they are used.

import { setImmediate } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { ConfigurationError, check, d2, d2Guard, getUserContext, TOOL_ID } from "d2-sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { asAgent, enforce, outcome, outcomeLater } from "./enforce.js";

beforeEach(async () => {
  await enforce([
    {
      role: "agent",
      permissions: [
        { tool: "tool", conditions: { input: { n: { max: 3 } }, output: { secret: { action: "filter" } } } },
        "items",
      ],
    },
  ]);
  await enforce([{ role: "agent", permissions: ["*"] }], {}, { instance: "lax" });
});

describe("a guarded function", () => {
  it("judges every way to call it", () => {
    let ran = 0;
    const tool = d2Guard("tool", { params: ["n"] }, function (this: unknown, n: number) {
      ran += n;
      return { n, self: this === undefined ? "none" : this };
    });
    const ways: [string, (n: number) => unknown][] = [
      ["call", (n) => tool.call(null, n)],
      ["apply", (n) => tool.apply(undefined, [n])],
      ["bind", (n) => tool.bind({})(n)],
      ["a bound bind", (n) => Function.prototype.call.bind(tool)(null, n)],
      ["Reflect.apply", (n) => Reflect.apply(tool, null, [n])],
      [
        "Reflect.apply with something like a list",
        (n) => Reflect.apply(tool, null, { length: 1, 0: n } as never),
      ],
      ["a method", (n) => ({ tool }).tool(n)],
      ["a computed method", (n) => ({ [TOOL_ID]: tool })[TOOL_ID](n)],
      ["a proxy", (n) => new Proxy(tool, {})(n)],
      [
        "an accessor",
        (n) =>
          ({
            get tool() {
              return tool;
            },
          }).tool(n),
      ],
      ["map", (n) => [n].map((it) => tool(it))[0]],
      ["map itself, with two arguments more", (n) => [n].map(tool as never)[0]],
      ["a tagged template", (n) => (tool as unknown as (...a: unknown[]) => unknown)`${n}`],
      ["optional call", (n) => tool?.(n)],
      ["spread", (n) => tool(...([n] as const))],
      ["a default", (n, call = tool) => call(n)],
      ["replace", (n) => String(n).replace(/\d+/, (it) => String(tool(Number(it))))],
    ];
    for (const [way, call] of ways) {
      ran = 0;
      const refused = asAgent(() => outcome(() => call(4)));
      expect([way, refused, ran]).toEqual([way, "input_validation", 0]);
      expect([way, outcome(() => call(1))]).toEqual([way, "no_context"]);
    }
    expect(ran).toBe(0);
  });

  it("is no constructor, for what a constructor builds would leave without being judged", async () => {
    function Legacy(this: { secret: string }): void {
      this.secret = "hunter2";
    }
    for (const tool of [d2Guard("tool", Legacy), d2Guard("tool", () => 1), d2Guard("tool", async () => 1)]) {
      expect(Object.hasOwn(tool, "prototype")).toBe(false);
      asAgent(() => {
        expect(() => Reflect.construct(tool, [])).toThrow(TypeError);
        expect(() => Reflect.construct(Object, [], tool)).toThrow(TypeError);
        expect(getUserContext().callHistory).toEqual([]);
      });
      expect(() => class extends (tool as unknown as new () => object) {}).toThrow(TypeError);
    }
  });

  it.each<[string, () => unknown]>([
    ["a class", () => class Tool {}],
    ["a class with odd spacing", () => runInNewContext("(class/**/Tool{})")],
    ["a class without a name", () => class {}],
  ])("is never made of %s", (_what, make) => {
    expect(() => d2Guard("tool", make() as () => void)).toThrow(ConfigurationError);
  });

  it("gives away neither the function, nor a place where its guard could be changed", () => {
    const secret = function original(): string {
      return "hunter2";
    };
    const tool = d2Guard("denied", secret);
    for (const key of Reflect.ownKeys(tool)) expect(Reflect.get(tool, key)).not.toBe(secret);
    expect(tool.toString()).not.toContain("hunter2");
    expect(() => Reflect.get(tool, "caller")).toThrow(TypeError);
    expect(() => Reflect.get(tool, "arguments")).toThrow(TypeError);
    expect(Reflect.set(tool, TOOL_ID, "items")).toBe(false);
    expect(Reflect.defineProperty(tool, TOOL_ID, { value: "items" })).toBe(false);
    expect(Reflect.deleteProperty(tool, TOOL_ID)).toBe(false);
    Object.assign(tool, { toolId: "items", id: "items", instance: "lax" });
    Object.defineProperty(tool, "name", { value: "items" });
    expect(asAgent(() => outcome(tool))).toBe("missing_policy");
  });

  it("of a guarded function asks both, and each as itself", () => {
    const both = d2Guard(
      "items",
      d2Guard("tool", { params: ["n"] }, (n: number) => n),
    );
    expect(asAgent(() => outcome(() => both(9)))).toBe("input_validation");
    expect(asAgent(() => [both(1), getUserContext().callHistory])).toEqual([1, ["items", "tool"]]);
  });

  it("is not fooled about itself by tags, names or texts of the function", async () => {
    const tagged = (tag: string, fn: () => unknown): (() => unknown) =>
      Object.defineProperty(fn, Symbol.toStringTag, { value: tag });
    const secret = { secret: "hunter2", id: 1 };
    for (const tag of [
      "AsyncFunction",
      "GeneratorFunction",
      "AsyncGeneratorFunction",
      "Function",
      "Object",
    ]) {
      for (const make of [() => secret, async () => secret]) {
        const end = await asAgent(async () => d2Guard("tool", tagged(tag, make))());
        expect([tag, end]).toEqual([tag, { id: 1 }]);
      }
      const stream = tagged(tag, function* () {
        yield secret;
      });
      expect(await asAgent(() => outcomeLater(d2Guard("tool", stream)))).toBe("output_validation");
    }
    const hidden = Object.defineProperty(() => 1, "name", {
      get: () => {
        throw new Error("no");
      },
    });
    expect(() => d2Guard(hidden)).toThrow();
  });
});

describe("a decorated method", () => {
  it("judges calls through instances, prototypes, subclasses, super and static places", () => {
    class Base {
      #own = 1;
      @d2Guard("tool", { params: ["n"] })
      run(n: number): number {
        return n + this.#own;
      }
      @d2Guard("tool", { params: ["n"] })
      static run(n: number): number {
        return n;
      }
      @d2Guard("tool", { params: ["n"] })
      ["computed run"](n: number): number {
        return n;
      }
    }
    class Derived extends Base {
      override run(n: number): number {
        return super.run(n);
      }
    }
    const borrowed = { __proto__: Base.prototype };
    const calls: ((n: number) => unknown)[] = [
      (n) => new Base().run(n),
      (n) => new Derived().run(n),
      (n) => Base.run(n),
      (n) => Derived.run(n),
      (n) => Base.prototype.run.call(new Base(), n),
      (n) => Reflect.get(borrowed, "run").call(new Base(), n),
      (n) => new Base()["computed run"](n),
      (n) => Object.getOwnPropertyDescriptor(Base.prototype, "run")?.value.call(new Base(), n),
    ];
    for (const call of calls) {
      expect(asAgent(() => outcome(() => call(9)))).toBe("input_validation");
      expect(asAgent(() => outcome(() => call(1)))).toBe("ok");
      expect(outcome(() => call(1))).toBe("no_context");
    }
  });
});

describe("options", () => {
  it("are read once, when the function is guarded", async () => {
    const asked = new Map<PropertyKey, number>();
    const answers: Record<string, [unknown, unknown]> = {
      instance: ["default", "lax"],
      params: [["n"], ["other"]],
      onDeny: ["first", "second"],
      async: [false, true],
      stream: ["refuse", "each"],
      strict: [false, true],
    };
    const options = {};
    for (const [key, [first, then]] of Object.entries(answers)) {
      Object.defineProperty(options, key, {
        enumerable: true,
        get() {
          asked.set(key, (asked.get(key) ?? 0) + 1);
          return asked.get(key) === 1 ? first : then;
        },
      });
    }
    const direct = d2Guard("tool", options, (n: number) => ({ n }));
    expect([...asked.values()]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(asAgent(() => direct(9))).toBe("first");
    expect(asAgent(() => direct(1))).toEqual({ n: 1 });
    asked.clear();
    const curried = d2Guard("tool", options)((n: number) => ({ n }));
    expect([...asked.values()]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(asAgent(() => curried(9))).toBe("first");
  });

  it("that are changed afterwards change nothing", async () => {
    const params = ["n"];
    const options = { params, instance: "default", stream: "refuse" as "refuse" | "each" };
    const decorate = d2Guard("tool", options);
    const direct = d2Guard("tool", options, (n: number) => ({ n, secret: 1 }));
    Object.assign(options, { instance: "lax", stream: "each", onDeny: "granted", params: ["other"] });
    params[0] = "other";
    for (const tool of [direct, decorate((n: number) => ({ n, secret: 1 }))]) {
      expect(asAgent(() => outcome(() => tool(9)))).toBe("input_validation");
      expect(asAgent(() => tool(1))).toEqual({ n: 1 });
    }
  });

  it.each<[string, object]>([
    ["a symbol", { [Symbol("instance")]: "lax" }],
    ["a well-known symbol", { [Symbol.toPrimitive]: () => "lax" }],
    ["the tool id's own symbol", { [TOOL_ID]: "items" }],
    ["a misspelt name", { ondeny: 1 }],
    ["a hidden misspelt name", Object.defineProperty({}, "ondeny", { value: 1 })],
    ["__proto__ of its own", JSON.parse('{"__proto__": {"instance": "lax"}}') as object],
    ["a name that is inherited by all", { constructor: 1 }],
    ["a list's index", ["n"]],
    ["a stream that is neither", { stream: "all" }],
    ["a stream that only looks like one", { stream: Object("each") }],
    ["an instance that is no name", { instance: "" }],
    ["an instance that only looks like a name", { instance: Object("lax") }],
    ["a word for a switch", { async: "no" }],
    ["a number for a switch", { strict: 0 }],
    ["params that are a string", { params: "n" }],
    ["params that are like a list", { params: { 0: "n", length: 1 } }],
    ["a parameter without a name", { params: [""] }],
    ["a parameter that is no string", { params: [Object("n")] }],
    ["a hole among the parameters", { params: new Array(1) }],
    ["a parameter twice", { params: ["n", "n"] }],
  ])("with %s are refused, not ignored", (_what, options) => {
    expect(() => d2Guard("tool", options, () => 1)).toThrow(ConfigurationError);
    expect(() => d2Guard("tool", options)).toThrow(ConfigurationError);
    expect(() => d2Guard.worker("tool", "file:///tool.js", options)).toThrow(ConfigurationError);
  });

  it("of `check` are held to the same", () => {
    expect(() => check("tool", {}, { [Symbol("instance")]: "lax" } as object)).toThrow(ConfigurationError);
    expect(() => check("tool", {}, { instanc: "lax" } as object)).toThrow(ConfigurationError);
    expect(asAgent(() => check("tool", { n: 9 }).outcome)).toBe("deny");
    expect(asAgent(() => check("tool", { n: 9 }, Object.create({ instance: "lax" })).outcome)).toBe("deny");
  });

  it("hidden from a loop, but there, count", () => {
    const options = Object.defineProperty({}, "onDeny", { value: "denied" });
    expect(d2Guard("tool", options, () => 1)()).toBe("denied");
  });
});

describe("a tool id", () => {
  it.each<[string, unknown]>([
    ["a symbol", Symbol("tool")],
    ["a boxed string", Object("tool")],
    ["something that turns into a string", { toString: () => "tool" }],
    ["a number", 1],
    ["empty", ""],
    ["blank", " "],
    ["a pattern", "*"],
    ["a prefix", "tool.*"],
    ["a group", "@tool"],
    ["too long", "a".repeat(257)],
  ])("that is %s is refused", (_what, id) => {
    expect(() => d2Guard(id as string, () => 1)).toThrow(ConfigurationError);
    expect(() => d2(id as string)).toThrow(ConfigurationError);
    expect(() => check(id as string)).toThrow(ConfigurationError);
    expect(() => d2Guard.worker(id as string, "file:///tool.js")).toThrow(ConfigurationError);
  });
});

describe("a worker tool", () => {
  const source = (body: string): string => `data:text/javascript,${encodeURIComponent(body)}`;

  it("whose module sends messages of its own answers nobody else's call by them", async () => {
    await enforce([{ role: "agent", permissions: ["items"] }]);
    const chatty = d2Guard.worker<(input: { n: number }) => number>(
      "items",
      source(`
        import { parentPort } from "node:worker_threads";
        export default async ({ n }) => {
          parentPort.postMessage({ value: "forged", progress: n });
          for (let late = 0; late < 5; late += 1) setTimeout(() => parentPort.postMessage({ value: "late " + n }), late);
          setTimeout(() => parentPort.postMessage("text"), 1);
          return n;
        };`),
    );
    for (let round = 0; round < 4; round += 1) {
      const numbers = Array.from({ length: 8 }, (_, index) => round * 8 + index);
      expect(await Promise.all(numbers.map((n) => asAgent(() => chatty({ n }))))).toEqual(numbers);
      await setImmediate();
    }
  });

  it("takes the arguments as they were judged, however long it waits for a thread", async () => {
    await enforce([
      {
        role: "agent",
        permissions: [{ tool: "tool", conditions: { input: { "user.role": { ne: "admin" } } } }],
      },
    ]);
    const echo = d2Guard.worker<(input: unknown) => unknown>("tool", source("export default (it) => it"));
    const args = Array.from({ length: 12 }, () => ({ user: { role: "guest" } }));
    const answers = args.map((it) => asAgent(() => echo(it)));
    for (const it of args) it.user.role = "admin";
    for (const answer of await Promise.all(answers)) expect(answer).toEqual({ user: { role: "guest" } });
  });

  it("is judged on what comes out of the thread, thrown things included", async () => {
    await enforce([
      {
        role: "agent",
        permissions: [{ tool: "tool", conditions: { output: { deny_if_patterns: ["hunter\\d"] } } }],
      },
    ]);
    for (const body of [
      "() => ({ rows: new Map([['a', 'hunter2']]) })",
      "() => { throw new Error('hunter2') }",
      "() => Promise.reject('hunter2')",
    ]) {
      const tool = d2Guard.worker<() => unknown>("tool", source(`export default ${body}`));
      expect(await asAgent(() => outcomeLater(tool))).toBe("output_sanitization");
    }
  });
});

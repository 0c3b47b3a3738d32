import { describe, expect, it } from "vitest";
import type { FieldRule, OperatorName } from "../src/document/document.js";
import { ConfigurationError } from "../src/errors.js";
import { compileInput, type InputPlan } from "../src/input/compile-input.js";
import type { InputVerdict } from "../src/input/input-verdict.js";
import { judgeInput } from "../src/input/judge-input.js";
import { parameterNames } from "../src/input/parameter-names.js";
import { isOperatorName, operatorOf } from "../src/operators/operators.js";

type Rules = { readonly [path: string]: { readonly [operator: string]: unknown } };

function fieldRule(path: string, operators: { readonly [operator: string]: unknown }): FieldRule {
  return {
    path,
    operators: Object.entries(operators).map(([word, written]) => {
      const name: OperatorName | undefined = isOperatorName(word) ? word : undefined;
      const check = name === undefined ? undefined : operatorOf(name).checkOperand(written);
      if (name === undefined || check?.ok !== true) throw new Error(`bad rule in a test: ${word}`);
      return { name, operand: check.operand };
    }),
    at: ["policies", 0, "permissions", 0, "conditions", "input", path],
  };
}

function plan(rules: Rules, exact = true): InputPlan {
  const compiled = compileInput(
    Object.entries(rules).map(([path, it]) => ({ rule: fieldRule(path, it), exact })),
  );
  if (compiled === undefined) throw new Error("a test without rules");
  return compiled;
}

function brokenBy(verdict: InputVerdict): readonly string[] {
  return verdict.ok ? [] : verdict.violations.map(({ path, operator }) => `${path} ${operator}`);
}

/** What of the rules one plain object breaks. */
function broken(rules: Rules, argument: unknown): readonly string[] {
  return brokenBy(judgeInput(plan(rules), undefined, [argument]));
}

function received(rules: Rules, argument: unknown): unknown {
  const verdict = judgeInput(plan(rules), undefined, [argument]);
  if (!verdict.ok) throw new Error(`refused: ${brokenBy(verdict).join()}`);
  return verdict.args[0];
}

describe("parameter names", () => {
  it("have positions, and a rest parameter comes last", () => {
    const names = parameterNames(["table", "limit", "...rest"]);
    expect([...names.positions]).toEqual([
      ["table", 0],
      ["limit", 1],
      ["rest", 2],
    ]);
    expect([names.count, names.rest]).toEqual([2, "rest"]);
    expect(parameterNames([])).toMatchObject({ count: 0, rest: undefined });
  });

  it.each([[["a", "a"]], [["a", "...a"]], [["...rest", "a"]], [[""]], [["..."]]])(
    "%j are refused",
    (params) => {
      expect(() => parameterNames(params)).toThrow(ConfigurationError);
    },
  );
});

describe("input rules", () => {
  it("do not exist where no rule has an operator", () => {
    expect(compileInput([])).toBeUndefined();
    expect(compileInput([{ rule: fieldRule("x", {}), exact: true }])).toBeUndefined();
  });

  it("list every violation, once each, with operand and without value", () => {
    const verdict = judgeInput(
      plan({
        x: { min: 5, maxLength: 2 },
        y: { required: true },
        z: { max: 1 },
        l: { in: ["a"] },
        "m.s": { in: ["a"] },
      }),
      undefined,
      [{ x: 1, z: 1, l: "hunter2", m: [{ s: "hunter2" }, { s: "hunter3" }] }],
    );
    expect(brokenBy(verdict)).toEqual(["x min", "x maxLength", "y required", "l in", "m.s in"]);
    expect(JSON.stringify(verdict)).not.toContain("hunter");
    expect(verdict).toMatchObject({ rule: "policies[0].permissions[0].conditions.input.x" });
    expect(verdict).not.toHaveProperty("detail");
    if (!verdict.ok) {
      expect(verdict.violations[0]?.operand).toBe(5);
      expect(verdict.violations[0]?.message).not.toContain("5");
    }
  });

  it("add up where several permissions speak of one argument", () => {
    const compiled = compileInput([
      { rule: fieldRule("x", { max: 10 }), exact: false },
      { rule: fieldRule("x", { min: 5 }), exact: true },
    ]);
    if (compiled === undefined) throw new Error("a test without rules");
    expect([3, 7, 11].map((x) => judgeInput(compiled, undefined, [{ x }]).ok)).toEqual([false, true, false]);
  });

  it("let an absent value pass all but `required`", () => {
    expect(broken({ x: { type: "int", min: 1, in: [1], matches: "a" } }, {})).toEqual([]);
    expect(broken({ x: { min: 1 } }, { x: undefined })).toEqual([]);
    expect(broken({ x: { required: true } }, {})).toEqual(["x required"]);
    expect(broken({ x: { required: true } }, { x: undefined })).toEqual(["x required"]);
    expect(broken({ x: { required: true } }, { x: null })).toEqual(["x required"]);
    expect(broken({ x: { required: true, min: 1 } }, { x: null })).toEqual(["x required", "x min"]);
    expect(broken({ x: { required: true } }, { x: new Date(0) })).toEqual([]);
  });
});

describe("a path", () => {
  const rules = { "f.s": { in: ["open"] } };

  it.each([
    [{ f: { s: "open" } }, []],
    [{ f: { s: "no" } }, ["f.s in"]],
    [{ f: [{ s: "open" }, { s: "no" }] }, ["f.s in"]],
    [{ f: [[{ s: "no" }]] }, ["f.s in"]],
    [{ f: [] }, []],
    [{ f: {} }, []],
    [{}, []],
    [{ f: undefined }, []],
    [{ "f.s": "no" }, ["f.s in"]],
    [{ "f.s": "open" }, []],
    [{ "f.s": "no", f: { s: "open" } }, ["f.s in"]],
    [{ "f.s": "open", f: { s: "no" } }, ["f.s in"]],
    [{ f: null }, ["f.s path"]],
    [{ f: 5 }, ["f.s path"]],
    [{ f: "text" }, ["f.s path"]],
    [{ f: [null] }, ["f.s path"]],
    [{ f: [undefined] }, ["f.s path"]],
    [{ f: new Map([["s", "open"]]) }, ["f.s path"]],
    [
      {
        f: new (class {
          s = "open";
        })(),
      },
      ["f.s path"],
    ],
    [{ f: Object.create({ s: "no" }) }, ["f.s path"]],
    [{ f: () => 1 }, ["f.s path"]],
    [{ f: new Array(2) }, ["f.s not_inspectable"]],
  ])("reaches into case %#", (argument, violations) => {
    expect(broken(rules, argument)).toEqual(violations);
  });

  it("may use up several of its parts in one key, anywhere", () => {
    const deep = { "a.b.c": { eq: 1 } };
    for (const argument of [
      { "a.b.c": 2 },
      { a: { "b.c": 2 } },
      { "a.b": { c: 2 } },
      { a: { b: { c: 2 } } },
    ]) {
      expect(broken(deep, argument)).toEqual(["a.b.c eq"]);
    }
  });

  it("requires its value in every item, and in none of an empty list", () => {
    const required = { "f.s": { required: true } };
    expect(broken(required, { f: [{ s: 1 }, {}] })).toEqual(["f.s required"]);
    expect(broken(required, { f: [{ s: 1 }, { s: null }] })).toEqual(["f.s required"]);
    expect(broken(required, { f: [] })).toEqual([]);
    expect(broken(required, { f: {} })).toEqual(["f.s required"]);
    expect(broken(required, {})).toEqual(["f.s required"]);
  });

  it("names the list itself where it ends at one", () => {
    expect(broken({ f: { maxLength: 1 } }, { f: [1, 2] })).toEqual(["f maxLength"]);
    expect(broken({ f: { in: ["a"] } }, { f: ["a"] })).toEqual(["f in"]);
  });

  it("never takes an inherited key or a list's index for an argument", () => {
    expect(broken({ constructor: { required: true } }, {})).toEqual(["constructor required"]);
    expect(broken({ toString: { type: "string" } }, {})).toEqual([]);
    expect(broken({ "f.0": { eq: 1 } }, { f: [5] })).toEqual(["f.0 path"]);
    expect(broken({ "f.length": { eq: 1 } }, { f: "ab" })).toEqual(["f.length path"]);
    expect(broken({ "__proto__.a": { eq: 1 } }, JSON.parse('{"__proto__": {"a": 2}}'))).toEqual([
      "__proto__.a eq",
    ]);
    expect(broken(JSON.parse('{"__proto__": {"eq": 1}}'), {})).toEqual([]);
  });

  it("ends in lists that hold themselves or each other", () => {
    const loop: unknown[] = [{ s: "open" }];
    loop.push(loop);
    expect(broken(rules, { f: loop })).toEqual([]);
    let shared: unknown = [{ s: "no" }];
    for (let level = 0; level < 60; level++) shared = [shared, shared];
    expect(broken(rules, { f: shared })).toEqual(["f.s in"]);
    let deep: unknown = [{ s: "open" }];
    for (let level = 0; level < 200; level++) deep = [deep];
    expect(broken(rules, { f: deep })).toEqual(["f.s not_inspectable"]);
  });
});

describe("a call without parameter names", () => {
  const rules = plan({ x: { max: 9 } });

  it("is named by its one plain object, or has no arguments", () => {
    expect(judgeInput(rules, undefined, [])).toEqual({ ok: true, args: [] });
    expect(judgeInput(rules, undefined, [{ x: 1 }])).toEqual({ ok: true, args: [{ x: 1 }] });
    expect(judgeInput(rules, undefined, [Object.assign(Object.create(null), { x: 10 })]).ok).toBe(false);
    expect(brokenBy(judgeInput(plan({ x: { required: true } }), undefined, []))).toEqual(["x required"]);
  });

  it.each([
    [[5]],
    [[{ x: 1 }, 2]],
    [[undefined]],
    [[null]],
    [[[1]]],
    [["x"]],
    [[new Map([["x", 1]])]],
    [
      [
        new (class {
          x = 1;
        })(),
      ],
    ],
    [[Object.create({ x: 1 })]],
    [[Object.assign(() => 1, { x: 1 })]],
    [[new Date()]],
  ])("cannot be named in case %#, and is refused", (args) => {
    const verdict = judgeInput(rules, undefined, args);
    expect(brokenBy(verdict)).toEqual([" unnamed_arguments"]);
    expect(verdict).toMatchObject({ detail: "unnamed_arguments" });
  });

  it("knows nothing of arguments that no rule names", () => {
    expect(broken({ x: { max: 9 } }, { y: 99 })).toEqual([]);
  });
});

describe("a call with parameter names", () => {
  const names = parameterNames(["x", "f"]);

  it("is named by position", () => {
    const rules = plan({ x: { max: 9 }, "f.s": { in: ["open"] } });
    expect(judgeInput(rules, names, [1, { s: "open" }])).toEqual({ ok: true, args: [1, { s: "open" }] });
    expect(brokenBy(judgeInput(rules, names, [10, { s: "no" }]))).toEqual(["x max", "f.s in"]);
    expect(judgeInput(rules, names, []).ok).toBe(true);
    expect(judgeInput(rules, names, [undefined, undefined]).ok).toBe(true);
    expect(brokenBy(judgeInput(rules, names, [{ x: 1 }]))).toEqual(["x max"]);
  });

  it("hands on the very array where nothing was looked into", () => {
    const args = [1, { any: 1 }];
    const verdict = judgeInput(plan({ x: { max: 9 } }), names, args);
    expect(verdict.ok && verdict.args).toBe(args);
  });

  it("is refused for a rule on the exact id whose argument the names lack, even where it is absent", () => {
    const verdict = judgeInput(plan({ y: { max: 9 }, x: { max: 0 } }), names, [1]);
    expect(brokenBy(verdict)).toEqual(["y unknown_argument", "x max"]);
    expect(verdict).toMatchObject({ detail: "unknown_argument" });
    expect(judgeInput(plan({ y: { max: 9, required: true } }, false), names, [1]).ok).toBe(true);
    expect(judgeInput(plan({ "x.y": { max: 9 } }), names, []).ok).toBe(true);
    expect(judgeInput(plan({ "x.y": { max: 9 } }), parameterNames(["x.y"]), [10]).ok).toBe(false);
  });

  it("is refused for arguments beyond the names, with all else that is wrong", () => {
    const rules = plan({ x: { max: 9 } });
    const verdict = judgeInput(rules, names, [10, {}, undefined]);
    expect(brokenBy(verdict)).toEqual([" extra_arguments", "x max"]);
    expect(verdict).toMatchObject({ detail: "extra_arguments" });
  });

  it("gathers a rest parameter as a list", () => {
    const rest = parameterNames(["x", "...rest"]);
    const rules = plan({ x: { max: 9 }, rest: { maxLength: 2, not_contains: "no" } });
    expect(judgeInput(rules, rest, [1, "a", "b"])).toEqual({ ok: true, args: [1, "a", "b"] });
    expect(brokenBy(judgeInput(rules, rest, [1, "a", "b", "c"]))).toEqual(["rest maxLength"]);
    expect(brokenBy(judgeInput(rules, rest, [1, "no"]))).toEqual(["rest not_contains"]);
    expect(judgeInput(rules, rest, [])).toEqual({ ok: true, args: [] });
    const inside = plan({ "rest.s": { eq: 1 } });
    expect(brokenBy(judgeInput(inside, rest, [1, { s: 1 }, { s: 2 }]))).toEqual(["rest.s eq"]);
  });

  it("passes on copies of what the rules looked into, in their places", () => {
    const first = { s: "open" };
    const rest = { s: 1 };
    const verdict = judgeInput(
      plan({ "f.s": { in: ["open"] }, "r.s": { eq: 1 } }),
      parameterNames(["x", "f", "...r"]),
      [first, first, rest],
    );
    if (!verdict.ok) throw new Error("refused");
    expect(verdict.args).toEqual([first, first, rest]);
    expect(verdict.args[0]).toBe(first);
    expect(verdict.args[1]).not.toBe(first);
    expect(verdict.args[2]).not.toBe(rest);
  });
});

describe("what is judged is what the function receives", () => {
  it("with an accessor that answers differently each time, called once", () => {
    let calls = 0;
    const argument = {
      get x() {
        return ++calls;
      },
    };
    expect(received({ x: { max: 1 } }, argument)).toEqual({ x: 1 });
    expect(calls).toBe(1);
  });

  it("with accessors further in, called once however many rules look", () => {
    let calls = 0;
    const entry = {
      get s() {
        return ++calls === 1 ? "open" : "no";
      },
    };
    expect(received({ "f.s": { in: ["open"] }, f: { eq: { s: "open" } } }, { f: entry })).toEqual({
      f: { s: "open" },
    });
    expect(calls).toBe(1);
  });

  it("and later changes of the caller's objects change nothing", () => {
    const argument = { x: 1, f: { s: "open" }, l: [[1]], untouched: { a: 1 } };
    const value = received({ "f.s": { eq: "open" }, l: { eq: [[1]] } }, argument);
    argument.x = 2;
    argument.f.s = "no";
    argument.l[0]?.push(2);
    expect(value).toEqual({ x: 1, f: { s: "open" }, l: [[1]], untouched: { a: 1 } });
    expect(value).toHaveProperty("untouched", argument.untouched);
    expect((value as { untouched: unknown }).untouched).toBe(argument.untouched);
  });

  it("with the caller's objects left as they are", () => {
    const inner = Object.freeze({ s: "open" });
    const argument = Object.freeze({ f: Object.freeze([inner]) });
    expect(received({ "f.s": { eq: "open" } }, argument)).toEqual({ f: [{ s: "open" }] });
    expect(argument.f[0]).toBe(inner);
  });

  it("with shared parts shared", () => {
    const part = { s: 1 };
    const value = received({ a: { max_bytes: 99 }, b: { max_bytes: 99 } }, { a: [part, part], b: part });
    const { a, b } = value as { a: unknown[]; b: unknown };
    expect(a[0]).toBe(a[1]);
    expect(a[0]).toBe(b);
    expect(b).not.toBe(part);
  });

  it("with `__proto__` a key, symbols kept, hidden keys left out, and no prototype where there was none", () => {
    const tag = Symbol("tag");
    const argument = Object.defineProperty(
      Object.assign(JSON.parse('{"x": 1, "__proto__": {"polluted": true}}'), { [tag]: 2 }),
      "hidden",
      { value: 3, enumerable: false },
    );
    const value = received({ x: { max: 1 } }, argument) as { [key: string | symbol]: unknown };
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Reflect.ownKeys(value)).toEqual(["x", "__proto__", tag]);
    expect(JSON.stringify(value)).toBe('{"x":1,"__proto__":{"polluted":true}}');
    const deep = received({ "a.b": { eq: 1 } }, { a: Object.assign(Object.create(null), { b: 1 }) });
    expect(Object.getPrototypeOf((deep as { a: object }).a)).toBeNull();
    const nested = received(
      { a: { eq: JSON.parse('{"__proto__": {"b": [1]}}') } },
      JSON.parse('{"a": {"__proto__": {"b": [1]}}}'),
    );
    expect(JSON.stringify(nested)).toBe('{"a":{"__proto__":{"b":[1]}}}');
  });

  it("with a proxy refused wherever a rule looks", () => {
    const proxy = new Proxy({ s: 1 }, {});
    const listProxy = new Proxy([1], {});
    const verdict = judgeInput(plan({ s: { eq: 1 } }), undefined, [proxy]);
    expect(brokenBy(verdict)).toEqual([" not_inspectable"]);
    expect(verdict).toMatchObject({ detail: "not_inspectable" });
    expect(broken({ f: { type: "dict" } }, { f: proxy })).toEqual(["f not_inspectable"]);
    expect(broken({ "f.s": { eq: 1 } }, { f: proxy })).toEqual(["f.s not_inspectable"]);
    expect(broken({ "f.s": { eq: 1 } }, { f: [proxy] })).toEqual(["f.s not_inspectable"]);
    expect(broken({ f: { maxLength: 9 } }, { f: listProxy })).toEqual(["f not_inspectable"]);
    expect(broken({ f: { max_bytes: 99 } }, { f: [{ a: proxy }] })).toEqual(["f not_inspectable"]);
    expect(broken({ g: { max: 1 } }, { f: proxy })).toEqual([]);
  });

  it("with a hole, a cycle, too many levels or a throwing accessor refused where a rule looks that far", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    let deep: unknown = 0;
    for (let level = 0; level < 129; level++) deep = [deep];
    const throwing = {
      get s(): number {
        throw new Error("hunter2");
      },
    };
    for (const f of [new Array(2), cycle, deep, throwing]) {
      expect(broken({ f: { max_bytes: 9999 } }, { f })).toEqual(["f not_inspectable"]);
    }
    expect(brokenBy(judgeInput(plan({ s: { eq: 1 } }), undefined, [throwing]))).toEqual([" not_inspectable"]);
    expect(broken({ f: { type: "list" } }, { f: deep })).toEqual([]);
  });

  it("and nothing of what looks like data but is not gets through a rule", () => {
    const rule = { f: { maxLength: 99, max_bytes: 999, ne: "x" } };
    const asJson = { toJSON: () => "short" };
    expect(broken(rule, { f: new String("a") })).toEqual(["f maxLength", "f max_bytes", "f ne"]);
    expect(broken(rule, { f: asJson })).toEqual(["f max_bytes"]);
    expect(broken({ f: { ne: { a: "x" } } }, { f: { a: new String("x") } })).toEqual(["f ne"]);
    expect(broken({ n: { max: 5 } }, { n: { valueOf: () => 1 } })).toEqual(["n max"]);
    expect(broken({ n: { max: 5 } }, { n: "4" })).toEqual(["n max"]);
    expect(broken({ n: { max: 5 } }, { n: Number.NaN })).toEqual(["n max"]);
    expect(broken({ n: { max: 5 } }, { n: 6n })).toEqual(["n max"]);
  });
});

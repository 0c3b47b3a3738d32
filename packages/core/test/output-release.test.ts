import { describe, expect, it } from "vitest";
import { compileOutput } from "../src/output/compile-output.js";
import { createItemJudge } from "../src/output/judge-items.js";
import { frozen, planOf, release, released } from "./output-planning.js";

const REDACTED = "[REDACTED]";

describe("a plan", () => {
  it("is not made where there is no output rule at all", () => {
    expect(compileOutput([])).toBeUndefined();
  });
});

describe("where nothing fires", () => {
  it("the very same value comes back, with the shared empty list of transforms", () => {
    const value = frozen({ rows: [{ id: 1, note: "fine" }], at: new Date(0), seen: new Map([["a", 1]]) });
    const rules = {
      ssn: { action: "filter" },
      note: { matches: "secret", action: "redact" },
      id: { max: 9, action: "deny" },
    };
    const one = release(value, rules);
    const two = release(value, rules);
    expect(one).toMatchObject({ ok: true });
    expect(one.ok && one.value).toBe(value);
    expect(one.ok && two.ok && one.transforms === two.transforms && one.transforms.length === 0).toBe(true);
  });

  it.each([undefined, null, 0, "text", false, Number.NaN, 5n])("a plain %s comes back", (value) => {
    expect(released(value, { a: { action: "filter" } })).toBe(value);
  });

  it("values that are not a number do not count as changed", () => {
    const value = frozen({ a: Number.NaN, b: [Number.NaN] });
    expect(released(value, { a: { eq: 1, action: "redact" }, c: { action: "filter" } })).toBe(value);
  });
});

describe("copying", () => {
  it("copies only the way to what changed and shares the rest", () => {
    const value = frozen({ keep: { deep: [1] }, rows: [{ ssn: 1, more: { a: 1 } }, { id: 2 }] });
    const result = released(value, { ssn: { action: "filter" } }) as typeof value;
    expect(result).toEqual({ keep: { deep: [1] }, rows: [{ more: { a: 1 } }, { id: 2 }] });
    expect(result.keep).toBe(value.keep);
    expect(result.rows[0]?.more).toBe(value.rows[0]?.more);
    expect(result.rows[1]).toBe(value.rows[1]);
  });

  it("keeps the order of keys and an absent prototype", () => {
    const value = Object.assign(Object.create(null), { z: 1, ssn: 2, a: 3 });
    const result = released(value, { ssn: { action: "redact" } }) as object;
    expect(Object.keys(result)).toEqual(["z", "ssn", "a"]);
    expect(Object.getPrototypeOf(result)).toBeNull();
  });

  it("reports each action that changed something once, in the order of the rules", () => {
    const verdict = release(
      [
        { b: "long text", a: 1 },
        { b: "long text", a: 1 },
      ],
      { a: { action: "filter" }, never: { action: "filter" }, b: { maxLength: 4, action: "truncate" } },
    );
    expect(verdict.ok && verdict.transforms).toEqual([
      { path: "a", action: "filter" },
      { path: "b", action: "truncate" },
    ]);
  });
});

describe("keys with special names", () => {
  const value = () =>
    JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "toString": 3, "k": {"__proto__": 4}}');

  it("an own `__proto__` is filtered and redacted like any other key", () => {
    const filtered = released(value(), { ["__proto__"]: { action: "filter" } }) as object;
    expect(Object.hasOwn(filtered, "__proto__")).toBe(false);
    expect(Object.hasOwn((filtered as { k: object }).k, "__proto__")).toBe(false);
    expect(JSON.stringify(released(value(), { ["__proto__"]: { action: "redact" } }))).toBe(
      '{"__proto__":"[REDACTED]","constructor":2,"toString":3,"k":{"__proto__":"[REDACTED]"}}',
    );
  });

  it("an own `__proto__` survives the copying that another key causes", () => {
    const result = released(value(), { constructor: { action: "filter" } }) as object;
    expect(JSON.stringify(result)).toBe('{"__proto__":{"x":1},"toString":3,"k":{"__proto__":4}}');
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    const redacted = released(value(), { x: { action: "redact" } }) as object;
    expect(JSON.stringify(redacted)).toContain('"__proto__":{"x":"[REDACTED]"}');
  });

  it("names that every object inherits are absent where they are not own", () => {
    expect(released({ a: 1 }, { toString: { action: "deny" }, hasOwnProperty: { required: false } })).toEqual(
      { a: 1 },
    );
    expect(release({ a: 1 }, { constructor: { required: true } })).toMatchObject({
      ok: false,
      reason: "output_validation",
    });
  });
});

describe("paths", () => {
  it("a one-name path with an action reaches every depth, inside of what it matched too", () => {
    expect(released({ a: { a: { a: 5 }, b: 1 } }, { a: { eq: 5, action: "redact" } })).toEqual({
      a: { a: { a: REDACTED }, b: 1 },
    });
  });

  it("what an outer redaction replaced is not entered", () => {
    const verdict = release({ a: { a: 1 } }, { a: { action: "redact" } });
    expect(verdict.ok && verdict.value).toEqual({ a: REDACTED });
  });

  it("a dotted path starts at the top, passes through lists, and names literal keys in every way to read it", () => {
    const rule = { "a.b.c": { action: "redact" } };
    expect(released({ a: { b: { c: 1 } } }, rule)).toEqual({ a: { b: { c: REDACTED } } });
    expect(released([[{ a: [{ b: [{ c: 1 }, { d: 1 }] }] }]], rule)).toEqual([
      [{ a: [{ b: [{ c: REDACTED }, { d: 1 }] }] }],
    ]);
    expect(released({ "a.b": { c: 1 } }, rule)).toEqual({ "a.b": { c: REDACTED } });
    expect(released({ a: { "b.c": 1 } }, rule)).toEqual({ a: { "b.c": REDACTED } });
    expect(released({ "a.b.c": 1 }, rule)).toEqual({ "a.b.c": REDACTED });
    const untouched = { x: { a: { b: { c: 1 } } }, c: 1, b: { c: 1 }, "b.c": 1 };
    expect(released(untouched, rule)).toBe(untouched);
  });

  it("one-name and dotted paths on the same key act in the order written", () => {
    const rules = [{ "a.b": { maxLength: 3, action: "truncate" }, b: { matches: "abcd", action: "redact" } }];
    expect(released({ a: { b: "abcdef" }, b: "abcdef" }, ...rules)).toEqual({
      a: { b: "abc" },
      b: `${REDACTED}ef`,
    });
  });

  it("a rule without action starts at the top only", () => {
    expect(release({ x: { s: 1 } }, { s: { type: "string" } })).toMatchObject({ ok: true });
    expect(release([{ s: 1 }], { s: { type: "string" } })).toMatchObject({ ok: false });
  });

  it("`undefined` is absent", () => {
    const value = { a: undefined, b: 1 };
    expect(released(value, { a: { action: "deny" } })).toBe(value);
    expect(release(value, { a: { required: true } })).toMatchObject({ ok: false });
    expect(release(undefined, { a: { required: true } })).toMatchObject({ ok: false });
    expect(released(undefined, { a: { min: 1 }, max_bytes: 0 })).toBeUndefined();
  });
});

describe("order", () => {
  it("an act sees what the acts before it left, inside as well", () => {
    const value = { list: [{ secret: "x".repeat(50) }] };
    const filterFirst = { secret: { action: "filter" }, list: { max_bytes: 20, action: "redact" } };
    const filterLast = { list: { max_bytes: 20, action: "redact" }, secret: { action: "filter" } };
    expect(released(value, filterFirst)).toEqual({ list: [{}] });
    expect(released(value, filterLast)).toEqual({ list: REDACTED });
  });

  it("acts before and after a cut list both do their part", () => {
    const value = {
      list: [
        { a: 1, b: 1 },
        { a: 1, b: 1 },
      ],
    };
    const rules = {
      a: { action: "filter" },
      list: { maxLength: 1, action: "truncate" },
      b: { action: "redact" },
    };
    expect(released(value, rules)).toEqual({ list: [{ b: REDACTED }] });
  });

  it("the first rule in order that denies is the one named, wherever its value stands", () => {
    const verdict = release([{ late: 1 }, { early: 1 }], {
      early: { action: "deny" },
      late: { action: "deny" },
    });
    expect(verdict).toMatchObject({
      ok: false,
      reason: "output_sanitization",
      rule: "policies[0].permissions[0].conditions.output.early",
      violations: [{ path: "early", operator: "deny" }],
    });
  });

  it("validation comes before denial, and sees the value as it was returned", () => {
    const verdict = release({ a: 1, b: "x" }, { a: { action: "deny" }, b: { type: "int", eq: 5 } });
    expect(verdict).toMatchObject({
      ok: false,
      reason: "output_validation",
      rule: expect.stringContaining("output.b"),
    });
    expect(verdict.ok || verdict.violations.map(({ operator }) => operator)).toEqual(["type", "eq"]);
    expect(released({ a: 1 }, { a: { action: "filter" } }, { a: { required: true } })).toEqual({});
  });

  it("what cannot be inspected comes before everything else, filtered or not", () => {
    const cyclic: Record<string, unknown> = { a: 1 };
    cyclic["self"] = cyclic;
    const rules = { a: { action: "deny" }, self: { action: "filter" }, b: { required: true } };
    expect(release(cyclic, rules)).toMatchObject({ reason: "output_validation", detail: "not_inspectable" });
  });
});

describe("actions", () => {
  it("`truncate` counts code points, never splits a pair, and cuts lists", () => {
    const cut = { t: { maxLength: 2, action: "truncate" } };
    expect(released({ t: "a😀b" }, cut)).toEqual({ t: "a😀" });
    expect(released({ t: "\ud83dab" }, cut)).toEqual({ t: "\ud83da" });
    expect(released({ t: [1, 2, 3] }, cut)).toEqual({ t: [1, 2] });
    const fits = { t: "😀😀" };
    expect(released(fits, cut)).toBe(fits);
    expect(released({ t: 12345, u: { t: { a: 1, b: 2, c: 3 } } }, cut)).toEqual({
      t: 12345,
      u: { t: { a: 1, b: 2, c: 3 } },
    });
  });

  it("`truncate` cuts strings inside a list only where a text operator says so", () => {
    const rule = { t: { maxLength: 3, contains: "x", action: "truncate" } };
    expect(released({ t: ["abcdef", "xbcdef"] }, rule)).toEqual({ t: ["abcdef", "xbc"] });
  });

  it("`redact` with a pattern replaces matches, and the whole value where only another operator fired", () => {
    const rule = { t: { matches: "x", maxLength: 3, action: "redact" } };
    expect(released({ t: "abxcd" }, rule)).toEqual({ t: `ab${REDACTED}cd` });
    expect(released({ t: "abcd" }, rule)).toEqual({ t: REDACTED });
    expect(released({ t: ["x", "a", "b", "c"] }, rule)).toEqual({ t: [REDACTED, "a", "b", "c"] });
    expect(released({ t: ["a", "b", "c", "d"] }, rule)).toEqual({ t: REDACTED });
    const both = { t: { matches: "x", contains: "pw", maxLength: 1, action: "redact" } };
    expect(released({ t: ["pw", "a"] }, both)).toEqual({ t: REDACTED });
  });

  it("numbers inside lists are tried by their decimal text under `matches` only", () => {
    expect(
      released({ t: [1e21, { n: 12n }, true, null] }, { t: { matches: "1", action: "redact" } }),
    ).toEqual({
      t: [REDACTED, { n: REDACTED }, true, null],
    });
    const value = { t: [11] };
    expect(released(value, { t: { contains: "1", action: "redact" } })).toBe(value);
  });

  it("`filter` removes the items of lists and keys of mappings whose text fires", () => {
    expect(
      released(
        { t: ["a", ["sk-1", "b"], { k: "sk-2", l: "c" }] },
        { t: { startsWith: "sk-", action: "filter" } },
      ),
    ).toEqual({
      t: ["a", ["b"], { l: "c" }],
    });
  });

  it("`deny` with `required` fires where the field is absent at the path itself", () => {
    const rule = { a: { required: true, action: "deny" } };
    expect(release({ a: 1 }, rule)).toMatchObject({ ok: true });
    expect(release({ a: null }, rule)).toMatchObject({ reason: "output_sanitization" });
    expect(release({ deep: { a: 1 } }, rule)).toMatchObject({ reason: "output_sanitization" });
    expect(release([{ a: 1 }, {}], rule)).toMatchObject({ reason: "output_sanitization" });
    expect(release([], rule)).toMatchObject({ ok: true });
    expect(release({ a: 1 }, { a: { action: "filter" } }, rule)).toMatchObject({
      reason: "output_sanitization",
    });
    expect(release(undefined, { $: { required: true, action: "deny" } })).toMatchObject({
      reason: "output_sanitization",
    });
  });

  it("`$` is the returned value, between the acts before and after it", () => {
    const rules = {
      a: { action: "filter" },
      $: { maxLength: 1, action: "truncate" },
      b: { action: "redact" },
    };
    expect(released([{ a: 1, b: 1 }, { b: 2 }], rules)).toEqual([{ b: REDACTED }]);
    expect(released("text", { $: { action: "redact" } })).toBe(REDACTED);
    expect(released({ a: 1 }, { $: { type: "list", action: "redact" } })).toBe(REDACTED);
  });
});

describe("global rules", () => {
  it("look at text, number text and keys of the transformed value", () => {
    const rule = { deny_if_patterns: ["secret", "^42$"] };
    for (const value of ["a secret", ["x", { y: "secret" }], { secret: 1 }, { a: [42] }, { a: 42n }]) {
      expect(release(value, rule)).toMatchObject({
        reason: "output_sanitization",
        rule: "policies[0].permissions[0].conditions.output.deny_if_patterns",
      });
    }
    expect(release({ secret: 1 }, { secret: { action: "filter" }, ...rule })).toMatchObject({ ok: true });
  });

  it("list every one that is hit", () => {
    const verdict = release(
      { flag: "zz" },
      { deny_if_patterns: ["zz", "yy"], require_fields_absent: "flag", max_bytes: 3 },
    );
    expect(verdict.ok || verdict.violations.map(({ operator, operand }) => [operator, operand])).toEqual([
      ["deny_if_patterns", "zz"],
      ["require_fields_absent", "flag"],
      ["max_bytes", 3],
    ]);
  });

  it("`max_bytes` takes the smallest of all permissions, and hits what JSON cannot hold", () => {
    expect(release("abcdef", { max_bytes: 100 }, { max_bytes: 5 })).toMatchObject({
      rule: "policies[0].permissions[1].conditions.output.max_bytes",
    });
    expect(release({ a: 1n }, { max_bytes: 100 })).toMatchObject({ ok: false });
    expect(release({ a: Number.NaN }, { max_bytes: 100 })).toMatchObject({ ok: false });
  });

  it("a refusal never holds the value", () => {
    const secret = "hunter2-secret";
    const rules = [
      { a: { matches: "x+" } },
      { deny_if_patterns: ["hunter"] },
      { a: { contains: "hunter", action: "deny" } },
      { max_bytes: 2 },
    ];
    for (const rule of rules) {
      const verdict = release({ a: secret }, rule);
      expect(verdict.ok).toBe(false);
      expect(JSON.stringify(verdict)).not.toContain(secret);
    }
  });
});

describe("items of a stream", () => {
  it("are each judged by all rules, and by `max_bytes` in sum", () => {
    const judge = createItemJudge(
      planOf({ ssn: { action: "filter" }, id: { required: true }, max_bytes: 20 }),
    );
    expect(judge.next({ id: 1, ssn: "x".repeat(30) })).toMatchObject({ ok: true, value: { id: 1 } });
    expect(judge.next({ ssn: 1 })).toMatchObject({ reason: "output_validation" });
    expect(judge.next({ id: 2 })).toMatchObject({ ok: true });
    expect(judge.next({ id: 3 })).toMatchObject({ reason: "output_sanitization" });
  });
});

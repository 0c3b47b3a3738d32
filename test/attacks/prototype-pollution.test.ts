// The bypass: a name that JavaScript gives a meaning of its own (`__proto__`, `constructor`, `toString`) is taken for
// something that it is not, in the policy, in the arguments or in what a tool returns; or a polluted `Object.prototype`
// answers a question that nobody else answered (`roles`, `onDeny`, `outcome`).

import { check, configureRbac, d2Guard, getUserContext, runAs } from "d2-sdk";
import { afterEach, describe, expect, it } from "vitest";
import { asAgent, enforce, errorOf, outcome, permission, recorder } from "./enforce.js";

const INHERITED = ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty", "prototype"];
const clean = Reflect.ownKeys(Object.prototype);

afterEach(() => {
  expect(Reflect.ownKeys(Object.prototype)).toEqual(clean);
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
});

/** Runs a block while every object inherits these. */
function polluted<T>(properties: Record<string, unknown>, block: () => T): T {
  const keys = Object.keys(properties);
  for (const key of keys) {
    Object.defineProperty(Object.prototype, key, {
      value: properties[key],
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  try {
    return block();
  } finally {
    for (const key of keys) Reflect.deleteProperty(Object.prototype, key);
  }
}

describe("a policy", () => {
  it.each(INHERITED)(
    "may have a role, a tool, a group and a label named %s, and they are no more than that",
    async (name) => {
      const policy = JSON.stringify({
        metadata: {
          tool_groups: { [name]: ["in.group"] },
          data_flow: { labels: { read: [name] }, blocks: { [name]: ["post"] } },
        },
        policies: [{ role: name, permissions: [name, `@${name}`, "read", "post"] }],
      });
      await configureRbac({ policy, logger: recorder() });
      const tool = d2Guard(name, () => 1);
      expect(runAs("ann", { roles: [name] }, () => outcome(tool))).toBe("ok");
      expect(runAs("ann", { roles: [name] }, () => outcome(d2Guard("in.group", () => 1)))).toBe("ok");
      for (const other of ["agent", ...INHERITED.filter((it) => it !== name)]) {
        expect(runAs("ann", { roles: [other] }, () => outcome(tool))).toBe("rbac_denied");
      }
      runAs("ann", { roles: [name] }, () => {
        expect(outcome(d2Guard("post", () => 1))).toBe("ok");
        d2Guard("read", () => 1)();
        expect(getUserContext().facts).toEqual([name]);
        expect(outcome(d2Guard("post", () => 1))).toBe("data_flow_violation");
      });
    },
  );

  it.each(INHERITED)(
    "that never mentions %s knows no tool, no group and no label of that name",
    async (name) => {
      await enforce([{ role: "agent", permissions: ["read"] }]);
      expect(asAgent(() => outcome(d2Guard(name, () => 1)))).toBe("missing_policy");
      expect(await errorOf(() => enforce([{ role: "agent", permissions: [`@${name}`] }]))).toMatchObject({
        code: "configuration_error",
        diagnostics: [expect.objectContaining({ severity: "error" })],
      });
    },
  );

  it.each([
    ["the top", '{"__proto__": {"policies": []}, "policies": []}'],
    ["the metadata", '{"metadata": {"__proto__": {"name": "x"}}, "policies": []}'],
    ["an entry", '{"policies": [{"role": "a", "__proto__": {"permissions": ["*"]}}]}'],
    [
      "a permission",
      '{"policies": [{"role": "a", "permissions": [{"tool": "t", "__proto__": {"allow": true}}]}]}',
    ],
    [
      "the operators of a rule",
      '{"policies": [{"role": "a", "permissions": [{"tool": "t", "conditions": {"input": {"n": {"__proto__": 1}}}}]}]}',
    ],
    [
      "the operators, where a name is inherited",
      '{"policies": [{"role": "a", "permissions": [{"tool": "t", "conditions": {"input": {"n": {"constructor": 1}}}}]}]}',
    ],
  ])("with __proto__ as a key of %s is refused, as text and as an object", async (_place, text) => {
    for (const policy of [text, JSON.parse(text) as object]) {
      expect(await errorOf(() => configureRbac({ policy, logger: recorder() }))).toMatchObject({
        code: "configuration_error",
      });
    }
  });
});

describe("an argument", () => {
  it.each(INHERITED)(
    "named %s is judged when it is there and absent when it is only inherited",
    async (name) => {
      await enforce([permission("tool", { input: { [name]: { type: "int", max: 3 } } })]);
      const seen: unknown[] = [];
      const tool = d2Guard("tool", (args: object) => seen.push(args));
      const own = (value: number): object => JSON.parse(`{"${name}": ${value}}`);
      expect(asAgent(() => outcome(() => tool({})))).toBe("ok");
      expect(asAgent(() => outcome(() => tool(own(3))))).toBe("ok");
      expect(asAgent(() => outcome(() => tool(own(4))))).toBe("input_validation");
      expect(Object.hasOwn(Object(seen[1]), name)).toBe(true);
      expect(seen).toHaveLength(2);
      await enforce([permission("tool", { input: { [name]: { required: true } } })]);
      expect(asAgent(() => outcome(() => tool({})))).toBe("input_validation");
    },
  );

  it("with an own __proto__ reaches the tool as an own key, and changes no prototype", async () => {
    await enforce([
      permission("tool", { input: { "filter.admin": { ne: true }, filter: { maxLength: 3 } } }),
    ]);
    const tool = d2Guard("tool", (args: { filter: object }) => args);
    const args = JSON.parse('{"filter": {"__proto__": {"admin": true}, "a": 1}, "__proto__": {"b": 2}}');
    const received = asAgent(() => tool(args));
    expect(received).not.toBe(args);
    expect(Object.keys(received)).toEqual(["filter", "__proto__"]);
    expect(Object.keys(received.filter)).toEqual(["__proto__", "a"]);
    expect(Object.getPrototypeOf(received)).toBe(Object.prototype);
    expect(Object.getPrototypeOf(received.filter)).toBe(Object.prototype);
    expect("admin" in received.filter).toBe(false);
  });

  it("cannot be smuggled in on a prototype of any kind", async () => {
    await enforce([permission("tool", { input: { n: { type: "int", max: 3 } } })]);
    const received: unknown[] = [];
    const tool = d2Guard("tool", (args: { n?: unknown }) => received.push(args.n));
    const likeObjectPrototype = Object.assign(Object.create(null), { isPrototypeOf: 1, n: 9 });
    for (const prototype of [
      { n: 9 },
      likeObjectPrototype,
      new Proxy({}, { get: () => 9, getPrototypeOf: () => null }),
    ]) {
      expect(asAgent(() => outcome(() => tool(Object.create(prototype))))).toBe("input_validation");
    }
    expect(received).toEqual([]);
  });
});

describe("a result", () => {
  const secret = (): unknown =>
    JSON.parse('{"__proto__": {"ssn": "123"}, "list": [{"__proto__": "x", "ssn": "456"}], "ok": 1}');

  it("loses an own __proto__ like any other key", async () => {
    await enforce([permission("tool", { output: JSON.parse('{"__proto__": {"action": "filter"}}') })]);
    const result = asAgent(d2Guard("tool", secret));
    expect(JSON.stringify(result)).toBe('{"list":[{"ssn":"456"}],"ok":1}');
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });

  it("has what stands below an own __proto__ filtered and redacted", async () => {
    await enforce([permission("tool", { output: { ssn: { action: "redact" } } })]);
    const result = asAgent(d2Guard("tool", secret));
    expect(JSON.stringify(result)).toBe(
      '{"__proto__":{"ssn":"[REDACTED]"},"list":[{"__proto__":"x","ssn":"[REDACTED]"}],"ok":1}',
    );
    await enforce([permission("tool", { output: { "__proto__.ssn": { action: "filter" } } })]);
    expect(JSON.stringify(asAgent(d2Guard("tool", secret)))).toContain('{"__proto__":{},');
  });

  it.each([
    ["require_fields_absent", { require_fields_absent: ["__proto__"] }],
    ["deny_if_patterns, which look at keys", { deny_if_patterns: ["__proto__"] }],
    ["deny_if_patterns, below it", { deny_if_patterns: ["^123$"] }],
  ])("with an own __proto__ is seen by %s", async (_rule, output) => {
    await enforce([permission("tool", { output })]);
    expect(asAgent(() => outcome(d2Guard("tool", secret)))).toBe("output_sanitization");
  });

  it.each(INHERITED)("that does not have %s is not taken to have it", async (name) => {
    await enforce([permission("tool", { output: { require_fields_absent: [name] } })]);
    expect(asAgent(() => outcome(d2Guard("tool", () => ({ a: [{}] }))))).toBe("ok");
    await enforce([
      permission("tool", { output: { ["a"]: { required: true }, [`a.${name}`]: { required: true } } }),
    ]);
    expect(asAgent(() => outcome(d2Guard("tool", () => ({ a: {} }))))).toBe("output_validation");
  });
});

describe("a polluted Object.prototype", () => {
  it("gives no user a role, no guard an option and no decision another answer", async () => {
    await enforce([
      { role: "admin", permissions: ["*"] },
      {
        role: "agent",
        permissions: [{ tool: "limited", conditions: { input: { n: { required: true, max: 3 } } } }],
      },
    ]);
    await enforce([{ role: "agent", permissions: ["*"] }], {}, { instance: "lax" });
    const evil = {
      roles: ["admin"],
      instance: "lax",
      onDeny: "granted",
      stream: "each",
      strict: false,
      async: true,
      params: ["n"],
      outcome: "allow",
      reason: "ok",
      allow: true,
      denial: undefined,
      n: 1,
    };
    polluted(evil, () => {
      expect(runAs("ann", {}, () => getUserContext().roles)).toEqual([]);
      expect(runAs("ann", {}, () => outcome(d2Guard("secret", () => 1)))).toBe("rbac_denied");
      expect(runAs("ann", {}, () => check("secret").outcome)).toBe("deny");
      expect(asAgent(() => outcome(d2Guard("secret", {}, () => 1)))).toBe("rbac_denied");
      expect(asAgent(() => outcome(d2Guard("limited", (_: object) => 1).bind(null, {})))).toBe(
        "input_validation",
      );
    });
  });

  it("still lets a class say what roles a user has", async () => {
    await enforce([{ role: "admin", permissions: ["secret"] }]);
    class Account {
      get roles(): string[] {
        return ["admin"];
      }
    }
    expect(runAs("ann", new Account(), () => outcome(d2Guard("secret", () => 1)))).toBe("ok");
  });
});

import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { scopes } from "../src/context/scope.js";
import {
  BundleExpiredError,
  ConfigurationError,
  check,
  d2,
  d2Guard,
  getUserContext,
  MissingPolicyError,
  NoContextError,
  PermissionDeniedError,
  runAs,
  TOOL_ID,
} from "../src/index.js";
import { instanceSlot } from "../src/setup/registry.js";
import { enforce } from "./enforce.js";

const as = { roles: ["agent"] };
const asAgent = <T>(block: () => T): T => scopes.run(undefined, () => runAs("ann", as, block));

/** What a block throws. */
function thrownBy(block: () => unknown): unknown {
  try {
    block();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

beforeEach(() => {
  enforce([
    {
      role: "agent",
      permissions: [
        "free",
        "other",
        { tool: "narrow", conditions: { input: { n: { type: "int", max: 10 } } } },
        { tool: "clean", conditions: { output: { ssn: { action: "filter" }, $: { type: "dict" } } } },
        { tool: "quiet", conditions: { output: { deny_if_patterns: ["secret"] } } },
      ],
    },
    { role: "boss", permissions: ["bossy"] },
  ]);
});

afterEach(() => {
  instanceSlot("default").enforcer = undefined;
});

describe("a guarded function", () => {
  it("keeps its name, length, this and its tool id under a symbol", () => {
    const guarded = d2Guard("free", function named(this: { base: number }, a: number, b: number) {
      return this.base + a + b;
    });
    expect(guarded.name).toBe("named");
    expect(guarded.length).toBe(2);
    expect(Reflect.get(guarded, TOOL_ID)).toBe("free");
    expect(asAgent(() => guarded.call({ base: 1 }, 2, 3))).toBe(6);
    expect(d2).toBe(d2Guard);
  });

  it("comes in direct, curried and named forms", () => {
    const free = (n: number): number => n;
    expect(asAgent(() => d2Guard("free", free)(1))).toBe(1);
    expect(asAgent(() => d2Guard("free", {}, free)(1))).toBe(1);
    expect(asAgent(() => d2Guard("free")(free)(1))).toBe(1);
    expect(asAgent(() => d2Guard("free", { params: ["n"] })(free)(1))).toBe(1);
    expect(asAgent(() => d2Guard(free)(1))).toBe(1);
  });

  it("stays synchronous when it is, and answers with a promise when it is async, refusals included", async () => {
    expect(asAgent(() => d2Guard("free", () => 1)())).toBe(1);
    const later = d2Guard("free", async () => 1);
    expect(await asAgent(() => later())).toBe(1);
    const refused = later();
    expect(refused).toBeInstanceOf(Promise);
    await expect(refused).rejects.toBeInstanceOf(NoContextError);
    const plain = d2Guard("free", () => Promise.resolve(1));
    expect(() => plain()).toThrow(NoContextError);
    await expect(d2Guard("free", { async: true }, () => Promise.resolve(1))()).rejects.toThrow(
      NoContextError,
    );
  });

  it("is judged when a promise settles that it gave without being async", async () => {
    const clean = d2Guard("clean", () => Promise.resolve({ ssn: 1, name: "a" }));
    expect(await asAgent(() => clean())).toEqual({ name: "a" });
  });

  it("passes its own errors on as they are", async () => {
    const error = new RangeError("mine");
    const fail = (): never => {
      throw error;
    };
    expect(thrownBy(() => asAgent(d2Guard("free", fail)))).toBe(error);
    await expect(asAgent(d2Guard("free", async () => fail()))).rejects.toBe(error);
  });

  it("throws the error that belongs to the reason", () => {
    const call = (id: string) => thrownBy(() => asAgent(() => d2Guard(id, () => 1)()));
    expect(call("nobody")).toBeInstanceOf(MissingPolicyError);
    expect(call("bossy")).toBeInstanceOf(PermissionDeniedError);
    expect(thrownBy(d2Guard("free", () => 1))).toBeInstanceOf(NoContextError);
    const slot = instanceSlot("default");
    slot.enforcer = undefined;
    expect(call("free")).toMatchObject({ reason: "policy_unavailable", name: "MissingPolicyError" });
  });

  it("is refused from the very instant at which the policy expires", () => {
    const slot = instanceSlot("default");
    const { enforcer } = slot;
    if (enforcer?.plan === undefined) throw new Error("no plan");
    let now = 0;
    const plan = Object.create(enforcer.plan, { expiresAt: { value: 1000 }, view: { value: () => view } });
    const view = enforcer.plan.view(["agent"]);
    slot.enforcer = { ...enforcer, plan, clock: () => now };
    const free = d2Guard("free", () => 1);
    now = 999;
    expect(asAgent(free)).toBe(1);
    now = 1000;
    expect(thrownBy(() => asAgent(free))).toBeInstanceOf(BundleExpiredError);
    expect(thrownBy(free)).toMatchObject({ reason: "policy_expired", toolId: "free", userId: undefined });
  });

  it("tells with a refusal who, what and why, and never what the arguments were", () => {
    const narrow = d2Guard("narrow", (_: { n: unknown }) => 1);
    const error = thrownBy(() => asAgent(() => narrow({ n: "hunter2" })));
    expect(error).toMatchObject({
      code: "input_validation",
      reason: "input_validation",
      toolId: "narrow",
      userId: "ann",
      roles: ["agent"],
      decision: { outcome: "deny", layer: "input" },
    });
    expect((error as PermissionDeniedError).violations.map(({ operator }) => operator)).toEqual([
      "type",
      "max",
    ]);
    expect(`${String(error)}${JSON.stringify(error)}`).not.toContain("hunter2");
  });
});

describe("onDeny", () => {
  it("gives a value, or what a function makes of the error, in place of the call's result", () => {
    expect(d2Guard("free", { onDeny: "no" }, () => "yes")()).toBe("no");
    expect(d2Guard("free", { onDeny: undefined }, () => "yes")()).toBe(undefined);
    expect(d2Guard("free", { onDeny: (error) => error.reason }, () => "yes")()).toBe("no_context");
  });

  it("covers missing and expired policies and refused results", () => {
    instanceSlot("default").enforcer = undefined;
    expect(asAgent(d2Guard("free", { onDeny: "no" }, () => "yes"))).toBe("no");
    enforce([
      { role: "agent", permissions: [{ tool: "t", conditions: { output: { $: { type: "int" } } } }] },
    ]);
    expect(asAgent(d2Guard("t", { onDeny: "no" }, () => "yes"))).toBe("no");
  });

  it("of an async tool may be async, of a synchronous tool not", async () => {
    expect(await d2Guard("free", { onDeny: async () => "no" }, async () => "yes")()).toBe("no");
    expect(() => d2Guard("free", { onDeny: async () => "no" }, () => "yes")).toThrow(ConfigurationError);
  });

  it("that throws throws, or rejects on an async tool", async () => {
    const onDeny = (): never => {
      throw new Error("handler");
    };
    expect(d2Guard("free", { onDeny }, () => 1)).toThrow("handler");
    const rejected = d2Guard("free", { onDeny }, async () => 1)();
    await expect(rejected).rejects.toThrow("handler");
  });

  it("is no answer to the tool's own errors", () => {
    const fail = d2Guard("free", { onDeny: "no" }, () => {
      throw new Error("mine");
    });
    expect(() => asAgent(fail)).toThrow("mine");
  });
});

describe("a guarded method", () => {
  it("is decorated by a standard decorator, and keeps its this", () => {
    class Crm {
      base = 1;
      @d2Guard("free", { params: ["n"] })
      lookup(n: number): number {
        return this.base + n;
      }
    }
    expect(asAgent(() => new Crm().lookup(1))).toBe(2);
    expect(() => new Crm().lookup(1)).toThrow(NoContextError);
  });

  it("is decorated by a legacy decorator", () => {
    class Crm {
      base = 1;
      lookup(n: number): number {
        return this.base + n;
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Crm.prototype, "lookup") ?? {};
    d2Guard("free")(Crm.prototype, "lookup", descriptor);
    Object.defineProperty(Crm.prototype, "lookup", descriptor);
    expect(asAgent(() => new Crm().lookup(1))).toBe(2);
    expect(() => new Crm().lookup(1)).toThrow(NoContextError);
  });

  it("is refused for what is no method", () => {
    const decorate = d2Guard("free") as (...args: unknown[]) => unknown;
    expect(() => decorate(undefined, { kind: "field" })).toThrow(ConfigurationError);
    expect(() => decorate(() => 1, { kind: "getter" })).toThrow(ConfigurationError);
    expect(() => decorate({}, "key", { get: () => 1 })).toThrow(ConfigurationError);
  });
});

describe("a guard put together wrongly", () => {
  it.each<[string, unknown[]]>([
    ["no id", [undefined, () => 1]],
    ["an empty id", ["", () => 1]],
    ["an id with a blank", ["a b", () => 1]],
    ["an id with a star", ["a.*", () => 1]],
    ["a group for an id", ["@a", () => 1]],
    ["an id with a character nobody sees", ["pay\u200b", () => 1]],
    [
      "a nameless function",
      [
        (
          () => () =>
            1
        )(),
      ],
    ],
    ["an unknown option", ["a", { ondeny: 1 }, () => 1]],
    ["no function", ["a", {}, 7]],
    ["a class", ["a", class A {}]],
    ["a bad stream option", ["a", { stream: "all" }, () => 1]],
    ["parameters that are no list", ["a", { params: "n" }, () => 1]],
    ["a parameter named twice", ["a", { params: ["n", "n"] }, () => 1]],
    ["an empty instance", ["a", { instance: "" }, () => 1]],
  ])("with %s says so at once", (_name, args) => {
    expect(() => Reflect.apply(d2Guard, undefined, args)).toThrow(ConfigurationError);
  });
});

describe("nested guards", () => {
  it("keep the refusal of the inner call as it is, though the outer tool has output rules", () => {
    enforce([
      {
        role: "agent",
        permissions: [{ tool: "outer", conditions: { output: { deny_if_patterns: ["refused"] } } }],
      },
    ]);
    const outer = d2Guard("outer", () => d2Guard("inner", () => 1)());
    expect(thrownBy(() => asAgent(outer))).toMatchObject({ toolId: "inner", reason: "missing_policy" });
  });

  it("are not fooled by an error that only looks like a refusal", () => {
    const forged = (): never => {
      throw new PermissionDeniedError("the secret is 7", {
        toolId: "inner",
        userId: "x",
        roles: [],
        decision: { outcome: "deny", reason: "rbac_denied", layer: "permission", violations: [] },
      });
    };
    const error = thrownBy(() => asAgent(d2Guard("quiet", forged)));
    expect(error).toMatchObject({ toolId: "quiet", reason: "output_sanitization" });
    expect(String(error)).not.toContain("secret is 7");
    expect((error as Error).cause).toBeUndefined();
  });
});

describe("a policy swapped during a call", () => {
  it("is not seen by that call, and is by the next", async () => {
    const clean = d2Guard("clean", async () => {
      await setImmediate();
      return { ssn: 1 };
    });
    const [first, second] = await asAgent(async () => {
      const begun = clean();
      enforce([{ role: "agent", permissions: ["clean"] }]);
      return [await begun, await clean()];
    });
    expect(first).toEqual({});
    expect(second).toEqual({ ssn: 1 });
  });

  it("leaves history and facts standing", () => {
    const rules = [
      { role: "agent", permissions: ["free", "other"], sequence: [{ deny: ["free", "other"] }] },
    ];
    asAgent(() => {
      d2Guard("free", () => 1)();
      enforce(rules);
      expect(() => d2Guard("other", () => 1)()).toThrow(PermissionDeniedError);
      expect(getUserContext().callHistory).toEqual(["free"]);
    });
  });
});

describe("named instances", () => {
  it("have policies of their own and share the request's history", () => {
    enforce([{ role: "agent", permissions: ["post"], sequence: [{ deny: ["read", "post"] }] }], {}, "two");
    enforce([{ role: "agent", permissions: ["read"] }], {}, "one");
    const read = d2Guard("read", { instance: "one" }, () => 1);
    const post = d2Guard("post", { instance: "two" }, () => 1);
    asAgent(() => {
      expect(post()).toBe(1);
      read();
      expect(post).toThrow(PermissionDeniedError);
    });
    expect(() => asAgent(d2Guard("read", { instance: "two" }, () => 1))).toThrow(MissingPolicyError);
  });
});

describe("check", () => {
  it("gives the decision without running or recording anything", () => {
    asAgent(() => {
      expect(check("free")).toMatchObject({ outcome: "allow", reason: "ok" });
      expect(check("narrow", { n: 11 })).toMatchObject({ outcome: "deny", reason: "input_validation" });
      expect(getUserContext().callHistory).toEqual([]);
    });
    expect(check("free").reason).toBe("no_context");
  });
});

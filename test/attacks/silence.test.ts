// The bypass: what a call was given, or what a tool returned, gets out through the guard's own words: a message, a stack,
// a field of an error, a violation, a decision, a line of the log, a rejection that nobody waits for. A canary stands for
// the data, and everything that can be observed is searched for it, however it is printed.

import { setImmediate } from "node:timers/promises";
import { inspect } from "node:util";
import {
  check,
  d2Guard,
  getPolicyManager,
  getUserContext,
  PermissionDeniedError,
  recordFact,
  runAs,
  setUser,
  warnIfContextSet,
} from "d2-sdk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { asAgent, enforce, permission, recorder, thenable, withThen } from "./enforce.js";

const CANARY = "canary-7f3a";
const written: string[] = [];
let logger = recorder();

beforeEach(() => {
  logger = recorder();
  written.length = 0;
  const keep = (...parts: unknown[]): boolean => {
    written.push(inspect(parts, { depth: 10, showHidden: true }));
    return true;
  };
  for (const method of ["log", "info", "warn", "error", "debug", "trace"] as const) {
    vi.spyOn(console, method).mockImplementation(keep);
  }
  vi.spyOn(process.stderr, "write").mockImplementation(keep);
  vi.spyOn(process, "emitWarning").mockImplementation(keep);
});

afterEach(() => {
  vi.restoreAllMocks();
  expect(`${logger.lines.join("\n")}${written.join("\n")}`).not.toContain(CANARY);
});

/** All that can be read off a value: printed in every way, and every property of everything in it. */
function everything(value: unknown, seen = new Set<object>()): string {
  const printed = [inspect(value, { depth: 10, showHidden: true, getters: true })];
  if ((typeof value === "object" || typeof value === "function") && value !== null && !seen.has(value)) {
    seen.add(value);
    printed.push(String(JSON.stringify(value)));
    if (value instanceof Error)
      printed.push(String(value), value.message, value.stack ?? "", everything(value.cause, seen));
    for (
      let at: object | null = value;
      at !== null && at !== Object.prototype;
      at = Object.getPrototypeOf(at)
    ) {
      if (at === Function.prototype || at === Array.prototype) break;
      for (const key of Reflect.ownKeys(at)) {
        printed.push(String(key));
        if (key !== "constructor" && key !== "caller" && key !== "arguments" && key !== "callee")
          printed.push(everything(Reflect.get(value, key), seen));
      }
    }
  }
  return printed.join("\n");
}

/** What the caller gets to see of a call, its refusal included; also through `onDeny`. */
async function observed(
  id: string,
  fn: (...args: never[]) => unknown,
  args: readonly unknown[],
  options: object = {},
): Promise<string> {
  const seen: unknown[] = [];
  const handed = (error: unknown): string => {
    seen.push(error);
    return "denied";
  };
  for (const form of [options, { ...options, onDeny: handed }, { ...options, async: true }]) {
    const tool = d2Guard(id, form, fn as (...args: unknown[]) => unknown);
    await asAgent(async () => {
      try {
        const value = await tool(...args);
        expect(value).toBe("denied");
      } catch (error) {
        expect(error).toBeInstanceOf(PermissionDeniedError);
        seen.push(error);
      }
      seen.push(getUserContext());
    });
  }
  expect(seen.length).toBeGreaterThan(4);
  return everything(seen);
}

const throwing = (): never => {
  throw new Error(CANARY);
};
class Canary {
  readonly note = CANARY;
  toString(): string {
    return CANARY;
  }
  [inspect.custom](): string {
    return CANARY;
  }
}
Object.defineProperty(Canary, "name", { value: CANARY });

it("the search would find it", () => {
  const hidden = Object.defineProperty(new Error("no"), "a", { value: [new Map([[{ b: CANARY }, 1]])] });
  const behind = new (class {
    get a(): string {
      return CANARY;
    }
  })();
  for (const value of [CANARY, new Error("no", { cause: CANARY }), hidden, behind, { [Symbol(CANARY)]: 1 }]) {
    expect(everything([{ value }])).toContain(CANARY);
  }
});

describe("the arguments of a refused call", () => {
  const rules: object[] = [
    { required: true, type: "int" },
    { matches: "[0-9]+" },
    { not_matches: "canary.*" },
    { in: ["a", "b"] },
    { eq: 1 },
    { max: 1 },
    { maxLength: 2 },
    { max_bytes: 3 },
    { startsWith: "x" },
    { contains: "x" },
    { not_contains: "canary-" },
  ];
  const cycle: Record<string, unknown> = { [CANARY]: CANARY };
  cycle[CANARY] = cycle;
  const values: [string, unknown][] = [
    ["a text", CANARY],
    ["a long text", CANARY.repeat(500)],
    ["a mapping", { [CANARY]: CANARY }],
    ["a list", [CANARY]],
    ["a symbol", Symbol(CANARY)],
    ["an instance", new Canary()],
    ["an error", new Error(CANARY)],
    ["a function", Object.defineProperty(() => CANARY, "name", { value: CANARY })],
    ["a cycle", cycle],
    ["a proxy", new Proxy({}, { get: throwing, ownKeys: throwing, getPrototypeOf: throwing })],
    ["an accessor that throws", Object.defineProperty({}, "a", { get: throwing, enumerable: true })],
  ];

  it.each(rules)("are nowhere in what %j says", async (rule) => {
    await enforce(
      [permission("tool", { input: { n: rule, "n.deep": { required: true, eq: "z" } } })],
      {},
      { logger },
    );
    for (const [, value] of values) {
      expect(await observed("tool", () => 1, [{ n: value, [CANARY]: 1 }])).not.toContain(CANARY);
      expect(await observed("tool", () => 1, [value, CANARY], { params: ["n"] })).not.toContain(CANARY);
      expect(await observed("tool", () => 1, [value])).not.toContain(CANARY);
      expect(everything(asAgent(() => check("tool", { n: value, [CANARY]: CANARY })))).not.toContain(CANARY);
    }
  });

  it("are nowhere in refusals of the other layers", async () => {
    await enforce(
      [
        {
          role: "agent",
          permissions: ["read", "post", "send"],
          sequence: [{ deny: ["read", "post"], reason: "no" }],
        },
        { role: "other", permissions: ["theirs"] },
      ],
      { data_flow: { labels: { read: ["SECRET"] }, blocks: { SECRET: ["send"] } } },
      { logger },
    );
    const args = [{ [CANARY]: CANARY }];
    for (const id of ["theirs", "unknown"]) expect(await observed(id, () => 1, args)).not.toContain(CANARY);
    await asAgent(async () => {
      d2Guard("read", (_: unknown) => CANARY)(CANARY);
      for (const id of ["post", "send"]) {
        try {
          d2Guard(id, (_: unknown) => 1)(CANARY);
          expect.unreachable();
        } catch (error) {
          expect(everything(error)).not.toContain(CANARY);
        }
      }
      expect(everything([getUserContext(), getPolicyManager().policy])).not.toContain(CANARY);
    });
  });
});

describe("what a tool returned or threw", () => {
  const results: [string, () => unknown][] = [
    ["a text", () => CANARY],
    ["a mapping", () => ({ [CANARY]: [CANARY], ssn: CANARY })],
    ["a map", () => new Map([[CANARY, CANARY]])],
    ["bytes", () => Buffer.from(CANARY)],
    ["an instance", () => new Canary()],
    ["a symbol as a key", () => ({ [Symbol(CANARY)]: 1 })],
    ["an accessor", () => Object.defineProperty({}, CANARY, { get: throwing, enumerable: true })],
    [
      "a proxy that throws",
      () => new Proxy({}, { get: throwing, getPrototypeOf: throwing, ownKeys: throwing }),
    ],
    ["a promise", async () => ({ ssn: CANARY })],
    ["a thenable that throws", () => thenable(throwing)],
    ["a `then` that throws", () => withThen({}, { get: throwing })],
    ["an error", throwing],
    [
      "an error of an own class",
      () => {
        throw Object.assign(new (class extends Error {})(CANARY), { [CANARY]: CANARY });
      },
    ],
    [
      "an error with a cause",
      () => {
        throw new Error("no", { cause: new Canary() });
      },
    ],
    [
      "an error that cannot be looked at",
      () => {
        throw new Proxy(new Error(CANARY), { get: throwing, getPrototypeOf: throwing });
      },
    ],
    [
      "an instance",
      () => {
        throw new Canary();
      },
    ],
    [
      "a text",
      () => {
        throw CANARY;
      },
    ],
    [
      "a rejection",
      async () => {
        await setImmediate();
        throw new Error(CANARY);
      },
    ],
    [
      "a stream",
      () =>
        (async function* () {
          yield CANARY;
        })(),
    ],
  ];
  const rules: object[] = [
    { deny_if_patterns: ["anary"] },
    { max_bytes: 2 },
    { $: { type: "int" }, deny_if_patterns: ["anary"] },
    { $: { matches: "anary", action: "deny" }, deny_if_patterns: ["c.nary"] },
    { require_fields_absent: ["ssn"], "x.y": { required: true }, deny_if_patterns: ["c.nary"] },
  ];

  it.each(rules)("is nowhere in the refusal by %j", async (output) => {
    await enforce([permission("tool", { output })], {}, { logger });
    for (const [, make] of results) expect(await observed("tool", make, [])).not.toContain(CANARY);
  });

  it("is nowhere in what a stream ends with", async () => {
    for (const output of rules) {
      await enforce([permission("tool", { output })], {}, { logger });
      const tool = d2Guard("tool", { stream: "each" }, async function* () {
        try {
          yield { ssn: CANARY, [CANARY]: CANARY };
        } finally {
          throwing();
        }
      });
      const end = await asAgent(() => tool().next()).catch((error: unknown) => error);
      expect(end).toBeInstanceOf(PermissionDeniedError);
      expect(everything(end)).not.toContain(CANARY);
    }
  });
});

describe("the caller's other data", () => {
  it("is in no error about users, facts and options, and in no warning of a leak", async () => {
    await enforce([{ role: "agent", permissions: ["*"] }], {}, { logger });
    const blocks: (() => unknown)[] = [
      () => Reflect.apply(setUser, undefined, ["ann", { roles: CANARY }]),
      () => Reflect.apply(runAs, undefined, ["ann", { roles: [{ role: CANARY }] }, () => 1]),
      () => Reflect.apply(runAs, undefined, [{ id: CANARY }, { roles: [] }, () => 1]),
      () => Reflect.apply(recordFact, undefined, [{ fact: CANARY }]),
      () => recordFact(CANARY),
    ];
    for (const block of blocks) {
      try {
        block();
        expect.unreachable();
      } catch (error) {
        expect(everything(error)).not.toContain(CANARY);
      }
    }
    runAs(CANARY, { roles: [CANARY] }, () => expect(warnIfContextSet()).toBe(true));
    expect(logger.lines.length).toBeGreaterThan(1);
  });

  it("is in no error of a worker tool that cannot be given it", async () => {
    await enforce([{ role: "agent", permissions: ["*"] }], {}, { logger });
    const module = `data:text/javascript,${encodeURIComponent(`export default () => ({ f() { return "${CANARY.slice(0, 6)}" + "-7f3a" } })`)}`;
    const tool = d2Guard.worker<(input: unknown) => unknown>("tool", module);
    for (const input of [{ f: Object.defineProperty(() => CANARY, "name", { value: CANARY }) }, {}]) {
      const error: unknown = await asAgent(() => tool(input)).catch((it: unknown) => it);
      expect(error).toMatchObject({ code: "not_cloneable" });
      expect(everything(error)).not.toContain(CANARY);
    }
  });

  it("is in no rejection that nobody waits for", async () => {
    await enforce(
      [permission("tool", { input: { n: { max: 1 } }, output: { deny_if_patterns: ["anary"] } })],
      {},
      { logger },
    );
    const rejections: unknown[] = [];
    const keep = (error: unknown): void => void rejections.push(error);
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", keep);
    try {
      asAgent(() => {
        void d2Guard("tool", async (_: object) => 1)({ n: CANARY });
        void d2Guard("tool", async () => CANARY)();
        void d2Guard("tool", async () => throwing())();
        void d2Guard(
          "tool",
          { async: true, onDeny: () => Promise.reject(new Error("mine")) },
          () => CANARY,
        )();
      });
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    } finally {
      process.removeListener("unhandledRejection", keep);
      for (const listener of others) process.on("unhandledRejection", listener);
    }
    expect(rejections).toHaveLength(4);
    expect(everything(rejections)).not.toContain(CANARY);
  });
});

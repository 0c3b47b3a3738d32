import { beforeEach, describe, expect, it } from "vitest";
import { ConfigurationError, d2Guard, NoContextError, PermissionDeniedError, runAs } from "../src/index.js";
import { instanceSlot } from "../src/setup/registry.js";
import { enforce } from "./enforce.js";

const module = new URL("./fixtures/heavy.mjs", import.meta.url);
const heavy = (name: string, options = {}) =>
  d2Guard.worker<(input: { n?: unknown }) => unknown>(name, module, { export: name, ...options });
const asAgent = <T>(block: () => T): T => runAs("ann", { roles: ["agent"] }, block);

beforeEach(() => {
  enforce([
    {
      role: "agent",
      permissions: [
        { tool: "square", conditions: { input: { n: { type: "int", max: 100 } } } },
        { tool: "record", conditions: { output: { ssn: { action: "filter" } } } },
        "fail",
        "context",
        "blocked",
        "unsendable",
        "leave",
        "missing",
      ],
      sequence: [{ deny: ["record", "square"] }],
    },
  ]);
});

describe("a worker tool", () => {
  it("runs its export in another thread and gives a promise", async () => {
    expect(await asAgent(() => heavy("square")({ n: 7 }))).toEqual({ value: 49, main: false });
  });

  it("is judged before it runs and after, and counts in the history", async () => {
    await expect(asAgent(() => heavy("square")({ n: 101 }))).rejects.toMatchObject({
      reason: "input_validation",
    });
    await expect(heavy("square")({ n: 1 })).rejects.toBeInstanceOf(NoContextError);
    expect(await asAgent(() => heavy("record")({}))).toEqual({ name: "a" });
    await asAgent(async () => {
      const running = heavy("record")({});
      await expect(heavy("square")({ n: 1 })).rejects.toMatchObject({ reason: "sequence_violation" });
      await running;
    });
  });

  it("has neither policy nor user inside the worker", async () => {
    expect(await asAgent(() => heavy("context")({}))).toBe("MissingPolicyError");
  });

  it("does not block the event loop, and many calls share the threads", async () => {
    const calls = Array.from({ length: 20 }, (_, n) => asAgent(() => heavy("square")({ n })));
    expect((await Promise.all(calls)).map((it) => (it as { value: number }).value)).toEqual(
      Array.from({ length: 20 }, (_, n) => n * n),
    );
  });

  it("rejects with what the function throws", async () => {
    await expect(asAgent(() => heavy("fail")({}))).rejects.toThrow(RangeError);
  });

  it("says what cannot be sent, without showing it", async () => {
    const error = await asAgent(() => heavy("blocked")({ n: () => "hunter2" })).catch((it: unknown) => it);
    expect(error).toMatchObject({ code: "not_cloneable" });
    expect(String(error)).not.toContain("hunter2");
    await expect(asAgent(() => heavy("unsendable")({}))).rejects.toMatchObject({ code: "not_cloneable" });
    await expect(asAgent(() => heavy("missing")({}))).rejects.toThrow("no function `missing`");
  });

  it("rejects when its thread is lost, and the next call gets another", async () => {
    await expect(asAgent(() => heavy("leave")({}))).rejects.toMatchObject({ code: "worker_lost" });
    expect(await asAgent(() => heavy("square")({ n: 2 }))).toMatchObject({ value: 4 });
  });

  it("fails fast when strict, by option or for the whole instance", async () => {
    await expect(asAgent(() => heavy("square", { strict: true })({ n: 1 }))).rejects.toMatchObject({
      reason: "strict_sync",
      constructor: PermissionDeniedError,
    });
    const slot = instanceSlot("default");
    if (slot.enforcer !== undefined) slot.enforcer = { ...slot.enforcer, strict: true };
    await expect(asAgent(() => heavy("square")({ n: 1 }))).rejects.toMatchObject({ reason: "strict_sync" });
    expect(await asAgent(() => heavy("square", { strict: false })({ n: 1 }))).toMatchObject({ value: 1 });
  });

  it("takes onDeny like any guard", async () => {
    expect(await heavy("square", { onDeny: "no" })({ n: 1 })).toBe("no");
  });

  it("must be told an absolute URL and known options", () => {
    expect(() => d2Guard.worker("square", "./heavy.js")).toThrow(ConfigurationError);
    expect(() => Reflect.apply(d2Guard.worker, undefined, ["square", module, { stream: "each" }])).toThrow(
      ConfigurationError,
    );
  });
});

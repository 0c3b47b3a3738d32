import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { scopes } from "../src/context/scope.js";
import { d2Guard, getUserContext, NoContextError, PermissionDeniedError, runAs } from "../src/index.js";
import { enforce } from "./enforce.js";

const asAgent = <T>(block: () => T): T =>
  scopes.run(undefined, () => runAs("ann", { roles: ["agent"] }, block));

beforeEach(() => {
  enforce([
    {
      role: "agent",
      permissions: [
        "free",
        "post",
        {
          tool: "items",
          conditions: { output: { ssn: { action: "filter" }, deny_if_patterns: ["secret"], max_bytes: 60 } },
        },
      ],
      sequence: [{ deny: ["items", "post"] }],
    },
  ]);
});

async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe("a generator", () => {
  it("is judged when it is called, before the first item", () => {
    let begun = false;
    const items = d2Guard("free", function* () {
      begun = true;
      yield 1;
    });
    expect(() => items()).toThrow(NoContextError);
    expect(begun).toBe(false);
    expect(asAgent(() => [...items()])).toEqual([1]);
  });

  it("is refused where the policy has output rules, unless each item is to be judged", async () => {
    const plain = d2Guard("items", function* () {
      yield { ssn: 1 };
    });
    expect(() => asAgent(() => plain())).toThrow(PermissionDeniedError);
    const later = d2Guard("items", async function* () {
      yield { ssn: 1 };
    });
    expect(() => asAgent(() => later())).toThrow("not_inspectable");
    const each = d2Guard("items", { stream: "each" }, function* () {
      yield { ssn: 1, name: "a" };
      yield { ssn: 2, name: "b" };
    });
    expect(asAgent(() => [...each()])).toEqual([{ name: "a" }, { name: "b" }]);
  });

  it("ends at the first refused item, and runs its own clean-up", () => {
    let cleaned = false;
    const each = d2Guard("items", { stream: "each" }, function* () {
      try {
        yield { n: 1 };
        yield { n: "a secret" };
        yield { n: 3 };
      } finally {
        cleaned = true;
      }
    });
    asAgent(() => {
      const stream = each();
      expect(stream.next()).toEqual({ done: false, value: { n: 1 } });
      expect(() => stream.next()).toThrow(PermissionDeniedError);
      expect(cleaned).toBe(true);
      expect(stream.next()).toEqual({ done: true, value: undefined });
    });
  });

  it("counts max_bytes over all its items", async () => {
    const each = d2Guard("items", { stream: "each" }, async function* () {
      for (let n = 0; n < 10; n += 1) yield "0123456789";
    });
    const seen: unknown[] = [];
    const read = asAgent(async () => {
      for await (const item of each()) seen.push(item);
    });
    await expect(read).rejects.toMatchObject({ reason: "output_sanitization" });
    expect(seen.length).toBe(5);
  });

  it("puts what onDeny gives in place of a refused item, and ends", () => {
    const each = d2Guard("items", { stream: "each", onDeny: "held back" }, function* () {
      yield "fine";
      yield "a secret";
      yield "more";
    });
    expect(asAgent(() => [...(each() as Iterable<string>)])).toEqual(["fine", "held back"]);
  });

  it("gives no item of what it throws that a rule forbids", async () => {
    const each = d2Guard("items", { stream: "each" }, async function* () {
      yield 1;
      throw new Error("the secret is 7");
    });
    const error: unknown = await asAgent(() => collect(each())).catch((it: unknown) => it);
    expect(error).toMatchObject({ reason: "output_sanitization" });
    expect(String(error)).not.toContain("the secret is 7");
  });

  it("keeps what is sent into it, thrown into it and returned from it", () => {
    const free = d2Guard("free", function* (): Generator<string, string, string> {
      try {
        const got = yield "first";
        yield `got ${got}`;
      } catch (error) {
        yield `caught ${String(error)}`;
      }
      return "end";
    });
    asAgent(() => {
      const one = free();
      expect(one.next()).toEqual({ done: false, value: "first" });
      expect(one.next("x")).toEqual({ done: false, value: "got x" });
      expect(one.throw("y")).toEqual({ done: false, value: "caught y" });
      expect(one.next()).toEqual({ done: true, value: "end" });
      const two = free();
      two.next();
      expect(two.return("early")).toEqual({ done: true, value: "early" });
    });
  });

  it("is a running call until it is over", async () => {
    enforce([
      {
        role: "agent",
        permissions: ["free", "post"],
        sequence: { mode: "deny", rules: [{ allow: ["free"] }, { allow: ["free", "post"] }] },
      },
    ]);
    const items = d2Guard("free", function* () {
      yield 1;
    });
    const post = d2Guard("post", () => "sent");
    asAgent(() => {
      const stream = items();
      expect(post).toThrow(PermissionDeniedError);
      stream.next();
      expect(post).toThrow(PermissionDeniedError);
      stream.next();
      expect(post()).toBe("sent");
    });
  });

  it("runs every step for the user it was made for, whoever reads it", async () => {
    const items = d2Guard("free", async function* () {
      for (let n = 0; n < 3; n += 1) {
        yield getUserContext().userId;
        await setImmediate();
      }
    });
    await asAgent(async () => {
      const stream = items();
      const seen = await runAs("bob", { roles: [] }, () => collect(stream));
      expect(seen).toEqual(["ann", "ann", "ann"]);
    });
  });
});

describe("other streams", () => {
  it("are refused by default and judged item by item when told", async () => {
    const sources: (() => unknown)[] = [
      () => Readable.from([{ ssn: 1, name: "a" }]),
      () =>
        new ReadableStream({
          start(controller) {
            controller.enqueue({ ssn: 1, name: "a" });
            controller.close();
          },
        }),
      () => [{ ssn: 1, name: "a" }].values(),
      () => ({
        async *[Symbol.asyncIterator]() {
          yield { ssn: 1, name: "a" };
        },
      }),
    ];
    for (const source of sources) {
      expect(() => asAgent(() => d2Guard("items", source)())).toThrow("not_inspectable");
      const each = d2Guard("items", { stream: "each" }, async () => source());
      await asAgent(async () => {
        const stream = (await each()) as AsyncIterable<unknown>;
        expect(await collect(stream)).toEqual([{ name: "a" }]);
      });
    }
  });

  it("that are web streams stay web streams, and cancelling ends the call", async () => {
    let cancelled = false;
    const each = d2Guard("items", { stream: "each" }, () => {
      return new ReadableStream({
        pull(controller) {
          controller.enqueue("x");
        },
        cancel() {
          cancelled = true;
        },
      });
    });
    await asAgent(async () => {
      const stream = each();
      expect(stream).toBeInstanceOf(ReadableStream);
      const reader = stream.getReader();
      expect(await reader.read()).toEqual({ done: false, value: "x" });
      await reader.cancel();
      expect(cancelled).toBe(true);
    });
  });

  it("pass as they are where the policy has no output rules", () => {
    const stream = Readable.from([1]);
    expect(asAgent(d2Guard("free", () => stream))).toBe(stream);
  });
});

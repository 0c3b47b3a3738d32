import { describe, expect, it } from "vitest";
import { judgeThrown } from "../src/output/judge-thrown.js";
import { planOf } from "./output-planning.js";

const hit = (thrown: unknown, rules: Readonly<Record<string, unknown>>) => judgeThrown(planOf(rules), thrown);
const SECRET = { deny_if_patterns: ["secret"] };

class OwnError extends Error {
  override name = "OwnError";
  constructor(readonly record: unknown) {
    super("failed");
  }
}

describe("an error that a tool threw", () => {
  it("goes on where no global rule hits it", () => {
    for (const error of [
      new Error("fine"),
      new OwnError({ id: 1 }),
      new TypeError("x", { cause: new Error("y") }),
    ]) {
      expect(hit(error, SECRET)).toBe(false);
      expect(hit(error, { ssn: { action: "filter" } })).toBe(false);
    }
  });

  it("is hit by its message, its name, and its own fields, keys too", () => {
    expect(hit(new Error("a secret"), SECRET)).toBe(true);
    expect(hit(Object.assign(new Error("x"), { name: "secret" }), SECRET)).toBe(true);
    expect(hit(new OwnError([{ note: "a secret" }]), SECRET)).toBe(true);
    expect(hit(new OwnError({ secret: 1 }), SECRET)).toBe(true);
    expect(hit(Object.defineProperty(new Error("x"), "data", { value: "secret" }), SECRET)).toBe(true);
    expect(hit(new RangeError("x"), { deny_if_patterns: ["^RangeError$"] })).toBe(true);
  });

  it("is hit by its causes and by the errors in it", () => {
    expect(hit(new Error("x", { cause: new Error("y", { cause: "a secret" }) }), SECRET)).toBe(true);
    expect(hit(new Error("x", { cause: { code: "secret" } }), SECRET)).toBe(true);
    expect(hit(new AggregateError([new Error("x"), new OwnError("a secret")], "y"), SECRET)).toBe(true);
  });

  it("is not hit by its stack", () => {
    const error = new Error("x");
    error.stack = "a secret";
    expect(hit(error, SECRET)).toBe(false);
    Object.defineProperty(error, "stack", { get: () => "a secret" });
    expect(hit(error, SECRET)).toBe(false);
  });

  it("is hit where a field cannot be inspected, and nothing of it is called", () => {
    const loud = () => {
      throw new Error("called");
    };
    const cyclic = new Error("x");
    cyclic.cause = cyclic;
    for (const error of [
      new OwnError(new Map([[1, 2]])),
      new OwnError(
        new OwnError({
          get a() {
            return loud();
          },
        }),
      ),
      Object.defineProperty(new Error("x"), "data", { get: loud }),
      Object.defineProperty(new Error("x"), "message", { get: loud }),
      Object.assign(new Error("x"), { response: new (class Response {})() }),
      Object.assign(new Error("x"), { retry: loud }),
      Object.assign(new Error("x"), { [Symbol("data")]: "x" }),
      Object.assign(new Error("x"), { errors: Object.assign([], { data: 1 }) }),
      new Proxy(new Error("x"), { get: loud, getPrototypeOf: loud }),
      cyclic,
      new (class extends Error {
        override get message() {
          return loud();
        }
      })(),
    ]) {
      expect(hit(error, SECRET)).toBe(true);
      expect(hit(error, { ssn: { action: "filter" } })).toBe(true);
    }
  });

  it("is hit by a field that must be absent; what every error has is no such field", () => {
    expect(hit(Object.assign(new Error("x"), { ssn: 1 }), { require_fields_absent: ["ssn"] })).toBe(true);
    expect(hit(new OwnError({ ssn: 1 }), { require_fields_absent: ["ssn"] })).toBe(true);
    expect(hit(new OwnError(1), { require_fields_absent: ["name", "message", "cause"] })).toBe(false);
  });

  it("is hit by `max_bytes` for all of it together", () => {
    const size = JSON.stringify({ name: "OwnError", message: "failed", record: [1, 2] }).length;
    expect(hit(new OwnError([1, 2]), { max_bytes: size })).toBe(false);
    expect(hit(new OwnError([1, 2]), { max_bytes: size - 1 })).toBe(true);
    expect(hit(new OwnError(1n), { max_bytes: 1000 })).toBe(true);
  });

  it("of Node's own kind goes on", async () => {
    const { readFileSync } = await import("node:fs");
    const caught = (call: () => unknown) => {
      try {
        return call();
      } catch (error) {
        return error;
      }
    };
    expect(
      hit(
        caught(() => readFileSync("/nowhere/at/all")),
        SECRET,
      ),
    ).toBe(false);
    expect(
      hit(
        caught(() => Buffer.alloc("x" as unknown as number)),
        SECRET,
      ),
    ).toBe(false);
    expect(
      hit(
        caught(() => readFileSync("/nowhere/secret")),
        SECRET,
      ),
    ).toBe(true);
  });
});

describe("something else that a tool threw", () => {
  it("is judged as a value", () => {
    expect(hit("a secret", SECRET)).toBe(true);
    expect(hit({ a: ["secret"] }, SECRET)).toBe(true);
    expect(hit("fine", SECRET)).toBe(false);
    expect(hit(undefined, { max_bytes: 0 })).toBe(false);
    expect(hit(() => "secret", SECRET)).toBe(true);
    expect(hit(Promise.resolve(), SECRET)).toBe(true);
  });
});

import { describe, expect, it } from "vitest";
import { scanProject } from "../src/scan/scan-project.js";
import { withTree } from "./trees/source-tree.js";

/** The first tool of a module that has the guard, told in one line. */
async function told(text: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const tree = { "a.ts": `import { d2Guard } from "d2-sdk";\n${text}`, ...more };
  const { tools } = await withTree(tree, (root) => scanProject(root));
  const tool = tools.find(({ file }) => file === "a.ts");
  if (tool === undefined) return "nothing";
  const names = tool.params === undefined ? "?" : `(${tool.params.join(", ")})`;
  return `${tool.kind} ${tool.argument} ${names}${tool.closed === true ? "" : " …"}`;
}

describe("the arguments of a tool", () => {
  it.each([
    [
      "named by the guard",
      `d2Guard("t", { params: ["a", "...b"] }, (x, ...y) => 1)`,
      "function positional (a, b)",
    ],
    ["named by the guard, curried", `d2Guard("t", { params: ["a"] })(fn)`, "unknown positional (a)"],
    [
      "named by a constant",
      `const P = ["a", "b"] as const; d2Guard("t", { params: P }, fn)`,
      "unknown positional (a, b)",
    ],
    [
      "named by options kept elsewhere",
      `const O = { params: ["a"] }; d2Guard("t", { ...O, async: true }, fn)`,
      "unknown positional (a)",
    ],
    [
      "named by what cannot be told",
      `d2Guard("t", { params: names() }, (a) => 1)`,
      "function positional ? …",
    ],
    [
      "under options that cannot be told",
      `d2Guard("t", options, (a: string, b) => 1)`,
      "function positional (a, b) …",
    ],
    ["none", `d2Guard("t", () => 1)`, "function none ()"],
    ["only a this", `d2Guard("t", function (this: Db) {})`, "function none ()"],
    ["positional", `d2Guard("t", (a, b = 1, ...c) => 1)`, "function positional (a, b, c)"],
    ["positional, one without a name", `d2Guard("t", (a, { b }) => 1)`, "function positional ? …"],
    ["positional, by its type", `d2Guard("t", (a: string) => 1)`, "function positional (a)"],
    ["positional, by its default", `d2Guard("t", (limit = 10) => 1)`, "function positional (limit)"],
    ["one that may be anything", `d2Guard("t", (a) => 1)`, "function unknown ? …"],
    ["one of an unknown type", `d2Guard("t", (a: Query) => 1)`, "function unknown ? …"],
    ["an object taken apart", `d2Guard("t", ({ a, b: c, d = 1 }) => 1)`, "function object (a, b, d)"],
    ["an object taken apart, with a default", `d2Guard("t", ({ a } = {}) => 1)`, "function object (a)"],
    ["an object with a rest", `d2Guard("t", ({ a, ...rest }) => 1)`, "function object (a) …"],
    [
      "an object of a written type",
      `d2Guard("t", (q: { a: string; "b-c"?: number; d(): void }) => 1)`,
      "function object (a, b-c, d)",
    ],
    [
      "an object of an open type",
      `d2Guard("t", (q: { a: string; [key: string]: string }) => 1)`,
      "function object (a) …",
    ],
    [
      "an object of an interface",
      `interface P { a: 1 } interface Q extends P { b: 1 } d2Guard("t", (q: Q) => 1)`,
      "function object (a, b)",
    ],
    [
      "an object of an interface with unknown parents",
      `interface Q extends P { b: 1 } d2Guard("t", (q: Q) => 1)`,
      "function object (b) …",
    ],
    [
      "an object of a type of several parts",
      `type Q = Readonly<{ a: 1 }> & Partial<{ b: 1 }>; d2Guard("t", (q: Q) => 1)`,
      "function object (a, b)",
    ],
    [
      "an object of one type or another",
      `type Q = { a: 1; k: "x" } | { b: 1; k: "y" }; d2Guard("t", (q: Q) => 1)`,
      "function object (a, k, b)",
    ],
    [
      "an object of part of a type",
      `type Q = { a: 1; b: 1; c: 1 }; d2Guard("t", (q: Omit<Pick<Q, "a" | "b">, "a">) => 1)`,
      "function object (b)",
    ],
    ["an object of a record", `d2Guard("t", (q: Record<"a" | "b", string>) => 1)`, "function object (a, b)"],
    [
      "an object taken apart and typed",
      `d2Guard("t", ({ a }: { a: 1; b: 2 }) => 1)`,
      "function object (a, b)",
    ],
    [
      "an object taken apart, of an unknown type",
      `d2Guard("t", ({ a }: Query) => 1)`,
      "function object (a) …",
    ],
    ["a generic object", `d2Guard("t", <T extends object>(q: T) => 1)`, "function unknown ? …"],
    ["a type that names itself", `type Q = Q & { a: 1 }; d2Guard("t", (q: Q) => 1)`, "function object (a) …"],
    ["of a method", `class A { @d2Guard("t") read(id: string) {} }`, "method positional (id)"],
    [
      "of a method with names",
      `class A { @d2Guard("t", { params: ["id"] }) async read(x: string) {} }`,
      "method positional (id)",
    ],
    ["of a kept decorator", `const g = d2Guard("t"); class A { @g read({ id }) {} }`, "method object (id)"],
    ["of a generator", `d2Guard("t", function* ({ n }) {})`, "generator object (n)"],
    ["of a declared function", `d2Guard("t", read); async function read({ id }) {}`, "function object (id)"],
    [
      "of a method of an object",
      `const o = { read({ id }) {} }; d2Guard("t", o.read)`,
      "function object (id)",
    ],
    [
      "of a bound function",
      `class A { static read({ id }) {} } d2Guard("t", A.read.bind(A))`,
      "function object (id)",
    ],
    ["of a wrapped function", `d2Guard("t", withRetry(({ id }) => 1))`, "unknown unknown ? …"],
    [
      "of different functions",
      `const g = d2Guard("t"); g(({ a }) => 1); g(({ b }) => 1)`,
      "unknown unknown ? …",
    ],
    ["of a kept guard that nobody uses", `export const g = d2Guard("t")`, "unknown unknown ? …"],
  ])("%s", async (_, text, expected) => {
    expect(await told(text)).toBe(expected);
  });

  it("come from the function's own module", async () => {
    const tools = `import type { Query } from "./types.js";\nexport async function search(q: Query) {}`;
    const types = `export type { Query } from "./query.js";`;
    const query = `export interface Query { table: string; limit?: number }`;
    const more = { "tools.ts": tools, "types.ts": types, "query.ts": query };
    const text = `import { search } from "./tools.js"; d2Guard("t", search)`;
    expect(await told(text, more)).toBe("function object (table, limit)");
  });

  it("come from the module that a worker runs", async () => {
    const heavy = `export default function ({ rows }) {}\nexport const sum = (a, b) => a + b;`;
    const url = `new URL("./heavy.js", import.meta.url)`;
    expect(await told(`d2Guard.worker("t", ${url})`, { "heavy.ts": heavy })).toBe("worker object (rows)");
    expect(await told(`d2Guard.worker("t", ${url}, { export: "sum" })`, { "heavy.ts": heavy })).toBe(
      "worker positional (a, b)",
    );
    expect(await told(`d2Guard.worker("t", url, { params: ["a"] })`)).toBe("worker positional (a)");
  });
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are code.
import { describe, expect, it } from "vitest";
import { scanProject } from "../src/scan/scan-project.js";
import { expectedIn, type Tree, withTree } from "./trees/source-tree.js";

/** Scans files in which comments say what is to be found. */
async function compare(tree: Tree): Promise<void> {
  const found = await withTree(tree, (root) => scanProject(root));
  const lines = [
    ...found.tools.map(({ file, line, tool }) => `${file}:${line} ${tool}`),
    ...found.dynamic.map(({ file, line }) => `${file}:${line} ?`),
  ].sort();
  expect(lines).toEqual(expectedIn(tree));
  expect(found.unreadable).toEqual([]);
}

const file = (text: string, name = "a.ts") => compare({ [name]: text });
const named = (text: string) => file(`import { d2Guard } from "d2-sdk";\n${text}`);

describe("a guard is found when it is imported", () => {
  it.each([
    ["by name", `import { d2Guard } from "d2-sdk";\nd2Guard("a.b", fn); //=> a.b`],
    ["by its short name", `import { d2 } from "d2-sdk";\nd2("a.b", fn); //=> a.b`],
    ["under another name", `import { d2Guard as g } from "d2-sdk";\ng("a.b", fn); //=> a.b`],
    [
      "with its package",
      `import * as d2 from "d2-sdk";\nd2.d2Guard("a.b", fn); //=> a.b\nd2.d2("c", fn); //=> c`,
    ],
    ["as default", `import sdk from "d2-sdk";\nsdk.d2Guard("a.b", fn); //=> a.b`],
    ["with the package, by a text key", `import * as d2 from "d2-sdk";\nd2["d2Guard"]("a.b", fn); //=> a.b`],
    [
      "with import equals",
      `import sdk = require("d2-sdk");\nimport g = sdk.d2Guard;\ng("a.b", fn); //=> a.b`,
    ],
    ["dynamically", `const { d2Guard } = await import("d2-sdk");\nd2Guard("a.b", fn); //=> a.b`],
    ["dynamically, in place", `(await import("d2-sdk")).d2Guard("a.b", fn); //=> a.b`],
    ["dynamically, with then", `import("d2-sdk").then(({ d2Guard: g }) => g("a.b", fn)); //=> a.b`],
    [
      "dynamically, kept",
      `const later = import("d2-sdk");\nasync function f() { const { d2 } = await later; d2("a.b", fn); } //=> a.b`,
    ],
    [
      "dynamically, among others",
      `const [{ d2Guard }, fs] = await Promise.all([import("d2-sdk"), import("node:fs")]);\nd2Guard("a.b", fn); //=> a.b`,
    ],
    [
      "dynamically, by a function",
      `const load = async () => await import("d2-sdk");\nconst { d2Guard } = await load();\nd2Guard("a.b", fn); //=> a.b`,
    ],
    [
      "dynamically, by a longer function",
      `async function load() { log(); const sdk = await import("d2-sdk"); return sdk; }\nconst sdk = await load();\nsdk.d2Guard("a.b", fn); //=> a.b`,
    ],
    [
      "late",
      `let guard;\nasync function f() { ({ d2Guard: guard } = await import("d2-sdk")); guard("a.b", fn); } //=> a.b`,
    ],
    [
      "by a comment-ridden import",
      `import /* a */ { /* b */ d2Guard /* c */ } from /* d */ "d2-sdk";\nd2Guard("a.b", fn); //=> a.b`,
    ],
    [
      "through a type",
      `export const f = (guard: typeof import("d2-sdk").d2Guard) => guard("a.b", fn); //=> a.b`,
    ],
    [
      "through a type of a name",
      `import type { d2Guard } from "d2-sdk";\nfunction f(sdk: { x: 1 }, g: typeof d2Guard) { g("a.b", fn); } //=> a.b`,
    ],
  ])("%s", (_, text) => file(text));

  it.each([
    ["taken apart", `const { d2Guard } = require("d2-sdk");\nd2Guard("a.b", fn); //=> a.b`],
    [
      "taken apart under another name",
      `const { d2Guard: g = x } = require("d2-sdk");\ng("a.b", fn); //=> a.b`,
    ],
    ["whole", `const sdk = require("d2-sdk");\nsdk.d2Guard("a.b", fn); //=> a.b`],
    ["in place", `require("d2-sdk").d2Guard("a.b", fn); //=> a.b`],
    ["a member", `const g = require("d2-sdk").d2Guard;\ng("a.b", fn); //=> a.b`],
    ["compiled", `const sdk_1 = __importStar(require("d2-sdk"));\n(0, sdk_1.d2Guard)("a.b", fn); //=> a.b`],
    [
      "by a made require",
      `import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);\nconst { d2Guard } = require("d2-sdk");\nd2Guard("a.b", fn); //=> a.b`,
    ],
    [
      "by a made require of the module",
      `import module from "node:module";\nconst load = module.createRequire(import.meta.url);\nload("d2-sdk").d2Guard("a.b", fn); //=> a.b`,
    ],
  ])("with require, %s", (_, text) => file(text, "a.js"));

  it("in every kind of file", () =>
    compare(
      Object.fromEntries(
        ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"].map((kind) => [
          `${kind}.${kind}`,
          `import { d2Guard } from "d2-sdk";\nd2Guard("${kind}", fn); //=> ${kind}`,
        ]),
      ),
    ));

  it("in a file that only CommonJS allows, and in one with types it should not have", () =>
    compare({
      "a.js": `const { d2Guard } = require("d2-sdk");\nif (x) return;\nd2Guard("a", fn); //=> a`,
      "b.js": `// @flow\nimport { d2Guard } from "d2-sdk";\nd2Guard("b", (x: string) => x); //=> b`,
    }));
});

describe("a guard is found when it is called", () => {
  it.each([
    ["with a function", `d2Guard("a", () => 1); //=> a`],
    ["with options and a function", `d2Guard("a", { params: ["x"] }, (x) => x); //=> a`],
    ["curried", `d2Guard("a")(fn); //=> a`],
    ["curried, with options", `d2Guard("a", { async: true })(fn); //=> a`],
    ["curried and kept", `const wrap = d2Guard("a"); //=> a\nexport const f = wrap(() => 1);`],
    ["with a named function", `d2Guard(function readBilling() {}); //=> readBilling`],
    ["with a declared function", `d2Guard(readBilling); //=> readBilling\nfunction readBilling() {}`],
    ["with a function that has its name from a variable", `const sum = (a) => a;\nd2Guard(sum); //=> sum`],
    [
      "with a function that has its name from a property",
      `const o = { sum: (a) => a };\nd2Guard(o.sum); //=> sum`,
    ],
    ["for a worker", `d2Guard.worker("a", new URL("./heavy.js", import.meta.url)); //=> a`],
    ["for a worker, taken off", `const { worker } = d2Guard;\nworker("a", url); //=> a`],
    ["as a decorator", `class A { @d2Guard("a") m() {} } //=> a`],
    ["as a decorator with options", `class A { @d2Guard("a", { params: ["x"] }) m(x) {} } //=> a`],
    ["as a decorator alone", `class A { @d2Guard m() {} } //=> m`],
    ["as a decorator kept", `const guarded = d2Guard("a"); //=> a\nclass A { @guarded m() {} }`],
    ["as one of several decorators", `class A { @log @d2Guard("a") @trace() static async m() {} } //=> a`],
    ["as a decorator in a class expression", `export const A = class { @d2Guard("a") #m() {} }; //=> a`],
    ["with types given", `d2Guard<Fn>("a", fn); //=> a`],
    ["with types around", `(d2Guard as any)("a" as const, fn satisfies Fn); //=> a`],
    ["optionally", `d2Guard?.("a", fn); //=> a`],
    ["with call", `d2Guard.call(undefined, "a", fn); //=> a`],
    ["with apply", `d2Guard.apply(undefined, ["a", fn]); //=> a`],
    ["with bind", `const g = d2Guard.bind(null);\ng("a", fn); //=> a`],
    ["with bind and an id", `const g = d2Guard.bind(null, "a"); //=> a`],
    ["inside another", `d2Guard("a", d2Guard("b", fn)); //=> a //=> b`],
    ["in a function", `export function tools() { return { a: d2Guard("a", fn) }; } //=> a`],
    ["in the default of a parameter", `function f(tool = d2Guard("a", fn)) {} //=> a`],
    ["in a class field", `class A { read = d2Guard("a", () => this.x); } //=> a`],
    ["in a static block", `class A { static { d2Guard("a", fn); } } //=> a`],
    ["in a template", '`${d2Guard("a", fn)}`; //=> a'],
    ["in an object with spread", `const o = { ...base, a: d2Guard("a", fn) }; //=> a`],
    ["in a namespace", `namespace N { export const f = d2Guard("a", fn); } //=> a`],
    ["over lines", `d2Guard( //=> a\n  // why\n  "a",\n  { params: [] },\n  fn,\n);`],
  ])("%s", (_, text) => named(text));
});

describe("a guard is found through", () => {
  it.each([
    ["another name", `const guard = d2Guard;\nguard("a", fn); //=> a`],
    ["names of names", `const x = d2Guard, y = x;\nlet z = y;\nz("a", fn); //=> a`],
    ["a property", `const sdk = { guard: d2Guard };\nsdk.guard("a", fn); //=> a`],
    ["a property taken apart", `const { guard: g } = { guard: d2Guard };\ng("a", fn); //=> a`],
    [
      "a nested property",
      `const sdk = { a: { d2Guard } };\nconst { a: { d2Guard: g } } = sdk;\ng("a", fn); //=> a`,
    ],
    ["a list", `const [g] = [d2Guard];\ng("a", fn); //=> a`],
    ["a static member", `class Sdk { static guard = d2Guard; }\nSdk.guard("a", fn); //=> a`],
    ["a field", `class A { guard = d2Guard; m() { return this.guard("a", fn); } } //=> a`],
    ["a private field", `class A { #guard = d2Guard; m() { return this.#guard("a", fn); } } //=> a`],
    [
      "a field set later",
      `class A { constructor() { this.guard = d2Guard; } m() { this.guard("a", fn); } } //=> a`,
    ],
    [
      "a field of the constructor",
      `class A { constructor(private g: typeof d2Guard) {} m() { this.g("a", fn); } } //=> a`,
    ],
    ["an inherited field", `class B { g = d2Guard; }\nclass A extends B { m() { this.g("a", fn); } } //=> a`],
    ["a default", `function f(guard = d2Guard) { guard("a", fn); } //=> a`],
    ["a default that is taken apart", `function f({ guard = d2Guard } = {}) { guard("a", fn); } //=> a`],
    ["a condition", `const g = process.env.OFF ? (id, f) => f : d2Guard;\ng("a", fn); //=> a`],
    ["an alternative", `const g = custom ?? d2Guard;\ng("a", fn); //=> a`],
    ["a later assignment", `let g = (id, f) => f;\nif (on) g = d2Guard;\ng("a", fn); //=> a`],
    ["var that is hoisted", `g("a", fn); //=> a\n{ var g = d2Guard; }`],
    ["a function that gives it", `const guard = () => d2Guard;\nguard()("a", fn); //=> a`],
    ["frozen things", `const sdk = Object.freeze({ d2Guard });\nsdk.d2Guard("a", fn); //=> a`],
    ["a block of the same name that has ended", `{ const d2Guard = 1; }\nd2Guard("a", fn); //=> a`],
    ["a type of the same name", `interface d2Guard {}\nd2Guard("a", fn); //=> a`],
  ])("%s", (_, text) => named(text));
});

describe("nothing is invented for", () => {
  it.each([
    ["a parameter", `const f = (d2Guard) => d2Guard("a", fn);`],
    ["a parameter taken apart", `const f = ({ x: [d2Guard] }) => d2Guard("a", fn);`],
    ["a local constant", `{ const d2Guard = (id, f) => f; d2Guard("a", fn); }`],
    ["a local function that comes later", `function f() { d2Guard("a", fn); function d2Guard() {} }`],
    ["a var that comes later", `function f() { d2Guard("a", fn); if (x) { var d2Guard = other; } }`],
    ["a local class", `{ class d2Guard {} d2Guard("a", fn); }`],
    ["a function's own name", `(function d2Guard() { d2Guard("a", fn); })();`],
    ["a class's own name", `const A = class d2Guard { m() { d2Guard("a", fn); } };`],
    ["what is caught", `try {} catch (d2Guard) { d2Guard("a", fn); }`],
    ["a loop's name", `for (const d2Guard of guards) d2Guard("a", fn);`],
    ["a loop's counter", `for (let d2Guard = x; ; ) d2Guard("a", fn);`],
    ["a case's constant", `switch (x) { case 1: const d2Guard = y; d2Guard("a", fn); }`],
    ["an enum", `{ enum d2Guard { a } d2Guard("a", fn); }`],
    ["a method of the same name", `tools.d2Guard("a", fn); this.d2Guard("a", fn);`],
    ["a key of the same name", `const o = { d2Guard: other }; o.d2Guard("a", fn);`],
    ["new", `new d2Guard("a", fn);`],
    ["a mention", `register(d2Guard); const x = typeof d2Guard; export { d2Guard };`],
    ["comments and texts", `// d2Guard("a", fn)\n/* d2Guard("a", fn) */\nconst s = 'd2Guard("a", fn)';`],
    ["a tagged template", "d2Guard`a`;"],
    ["other exports", `import { check, runAs } from "d2-sdk";\ncheck("a"); runAs("u", {}, () => 1);`],
    ["types", `type G = typeof d2Guard; declare const x: G;`],
    ["a decorator of another package", `import { Tool } from "x";\nclass A { @Tool("a") m() {} }`],
  ])("%s", (_, text) => named(text));

  it.each([
    ["another package's guard", `import { d2Guard } from "other";\nd2Guard("a", fn);`],
    ["a package with a longer name", `import { d2Guard } from "d2-sdk-extra";\nd2Guard("a", fn);`],
    ["a subpath without the guard", `import { d2Guard } from "d2-sdk/express";\nd2Guard("a", fn);`],
    ["a file named like it", `import { d2Guard } from "./d2-sdk";\nd2Guard("a", fn);`],
    ["a global", `// d2-sdk\nd2Guard("a", fn);`],
    ["a require that is not Node's", `function f(require) { require("d2-sdk").d2Guard("a", fn); }`],
    [
      "a declared guard",
      `// d2-sdk\ndeclare function d2Guard(id: string, f: unknown): void;\nd2Guard("a", fn);`,
    ],
  ])("%s", (_, text) => file(text));
});

describe("a tool id is known when it is", () => {
  it.each([
    ["a literal", `d2Guard('a:b/c', fn); //=> a:b/c`],
    ["a template without holes", "d2Guard(`a.b`, fn); //=> a.b"],
    ["a constant", `const TOOL = "a.b";\nd2Guard(TOOL, fn); //=> a.b`],
    ["a constant further down", `const f = () => d2Guard(TOOL, fn); //=> a.b\nconst TOOL = "a.b" as const;`],
    [
      "a member of an object",
      `const T = { read: "a.b", deep: { "x-y": "c" } } as const;\nd2Guard(T.read, fn); //=> a.b\nd2Guard(T.deep["x-y"], fn); //=> c`,
    ],
    [
      "a member of a frozen object",
      `const T = Object.freeze({ read: "a.b" });\nd2Guard(T.read, fn); //=> a.b`,
    ],
    [
      "a member by a constant key",
      `const K = "read"; const T = { [K]: "a.b" };\nd2Guard(T[K], fn); //=> a.b`,
    ],
    [
      "a member of a spread object",
      `const A = { a: "a.b" }; const T = { ...A, c: "d" };\nd2Guard(T.a, fn); //=> a.b`,
    ],
    ["an enum's member", `enum T { Read = "a.b", Write = Read + ".w" }\nd2Guard(T.Read, fn); //=> a.b`],
    ["a constant enum's member", `const enum T { "x y" = "a.b" }\nd2Guard(T["x y"], fn); //=> a.b`],
    ["an item of a list", `const T = ["x", "a.b"] as const;\nd2Guard(T[1], fn); //=> a.b`],
    ["put together", `const P = "a"; const Q = ".";\nd2Guard(P + Q + "b", fn); //=> a.b`],
    ["put together in a template", 'const P = "a";\nd2Guard(`${P}.${"b"}`, fn); //=> a.b'],
    [
      "static",
      `class T { static readonly READ = "a.b"; static W = \`\${T.READ}.w\`; }\nd2Guard(T.READ, fn); //=> a.b\nd2Guard(T.W, fn); //=> a.b.w`,
    ],
    ["a readonly field", `class A { readonly id = "a.b"; m() { d2Guard(this.id, fn); } } //=> a.b`],
    ["in a namespace", `namespace T { export const READ = "a.b"; }\nd2Guard(T.READ, fn); //=> a.b`],
    ["the same on both sides", `d2Guard(x ? "a" : "a", fn); //=> a`],
    ["what a function always gives", `const id = () => "a.b";\nd2Guard(id(), fn); //=> a.b`],
  ])("%s", (_, text) => named(text));
});

describe("a tool id is listed as dynamic when it is", () => {
  it.each([
    ["a parameter", `const guard = (id, f) => d2Guard(id, f); //=> ?`],
    ["a parameter with a default", `const guard = (id = "a") => d2Guard(id, fn); //=> ?`],
    ["a parameter in a template", "const f = (t) => d2Guard(`db.${t}`, fn); //=> ?"],
    ["a variable that changes", `let id = "a"; id = "b";\nd2Guard(id, fn); //=> ?`],
    ["a variable that grows", `let id = "a"; id += "b";\nd2Guard(id, fn); //=> ?`],
    ["a loop's name", `for (const id of ["a", "b"]) d2Guard(id, fn); //=> ?`],
    ["a loop's outer name", `let id = "a";\nfor (id of ["b"]) d2Guard(id, fn); //=> ?`],
    ["one of two", `d2Guard(x ? "a" : "b", fn); //=> ?`],
    ["a call", `d2Guard(makeId("a"), fn); //=> ?`],
    ["a spread", `d2Guard(...args); //=> ?`],
    ["an unknown function", `import { run } from "other";\nd2Guard(run); //=> ?`],
    ["no name at all", `d2Guard(() => 1); //=> ?`],
    ["a number in an enum", `enum T { A }\nd2Guard(T.A, fn); //=> ?`],
    ["defined by itself", `const a = b, b = a;\nd2Guard(a, fn); //=> ?`],
    ["a field that may be set", `class A { id = "a"; m() { d2Guard(this.id, fn); } } //=> ?`],
    ["environment", `d2Guard(process.env.TOOL ?? "a", fn); //=> ?`],
  ])("%s", (_, text) => named(text));

  it("with the expression as written", async () => {
    const text = 'import { d2Guard } from "d2-sdk";\nexport const f = (t) => d2Guard(`db.${\n  t}`, fn);';
    const { dynamic } = await withTree({ "a.js": text }, (root) => scanProject(root));
    expect(dynamic).toEqual([{ file: "a.js", line: 2, column: 25, text: "`db.${ t}`" }]);
  });
});

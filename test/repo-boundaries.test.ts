import { describe, expect, it } from "vitest";
import { importCycles, importFaults, type Manifest, type Module, PACKAGE_ORDER } from "./repo/boundaries.js";
import { impurities, mutableState } from "./repo/purity.js";
import { packageFolders, readManifest, sourcesOf } from "./repo/sources.js";

/** Modules that hold state at their top level on purpose, and why. */
const STATEFUL: Readonly<Record<string, string>> = {
  "d2-sdk/log/open-log.ts":
    "instances that record in one place share its queue, so that a session is whole in it",
  "d2-sdk/setup/policy-engine.ts": "the policy reader is loaded once a process, when first needed",
  "d2-sdk/telemetry/private-provider.ts":
    "instances share one private meter provider, so that each series has one source",
  "d2-sdk/setup/process-end.ts": "what is done at the end of the process is the process's, by one listener",
  "d2-sdk/setup/registry.ts": "named instances are the process's, by the public API",
};

const sources = new Map(packageFolders.map((folder) => [folder, sourcesOf(folder)]));
const modules = [...sources.values()].flat();
const manifests = new Map(packageFolders.map(readManifest).map((manifest) => [manifest.name, manifest]));

describe("the sources of the packages", () => {
  it("belong to a package whose place in the order is written down", () => {
    expect([...manifests.keys()].sort()).toEqual([...PACKAGE_ORDER].sort());
  });

  it("import along the arrows core <- policy <- sdk and nothing that is not listed", () => {
    expect(modules.flatMap((module) => importFaults(module, modules, manifests))).toEqual([]);
  });

  it.each(packageFolders)("have no circle of imports in %s", (folder) => {
    expect(importCycles(sources.get(folder) ?? [])).toEqual([]);
  });

  it("of core reach no clock, randomness, environment, console or code from text", () => {
    const core = (sources.get("core") ?? []).filter(({ path }) => !path.endsWith(".d.ts"));
    expect(core.flatMap(({ path, text }) => impurities(path, text))).toEqual([]);
  });

  it("keep no changing state at module level outside of the listed modules", () => {
    const found = modules
      .filter(({ owner, path }) => !path.endsWith(".d.ts") && !Object.hasOwn(STATEFUL, `${owner}/${path}`))
      .flatMap(({ owner, path, text }) => mutableState(`${owner}/${path}`, text));
    expect(found).toEqual([]);
  });

  it("are on the list of stateful modules only while they hold state", () => {
    const stateful = modules
      .filter(({ owner, path, text }) => mutableState(`${owner}/${path}`, text).length > 0)
      .map(({ owner, path }) => `${owner}/${path}`);
    expect(Object.keys(STATEFUL).filter((name) => !stateful.includes(name))).toEqual([]);
  });
});

describe("the import checker", () => {
  const manifest = (name: string, dependencies: Record<string, string>, exports = {}): [string, Manifest] => [
    name,
    { name, dependencies, exports: { ".": {}, ...exports } },
  ];
  const planted = new Map([
    manifest("d2-core", { re2js: "1.0.0", "@noble/hashes": "1.0.0" }),
    manifest("d2-policy", { "d2-core": "1.0.0", yaml: "1.0.0" }),
    manifest("d2-sdk", { "d2-core": "1.0.0", "d2-policy": "1.0.0" }, { "./express": {} }),
  ]);
  const faults = (owner: string, text: string, path = "deep/module.ts") =>
    importFaults({ owner, path, text }, [{ owner, path: "deep/near.ts", text: "" }], planted);

  it.each([
    ["d2-core", 'import { parse } from "yaml";'],
    ["d2-core", 'import { readFileSync } from "node:fs";'],
    ["d2-core", 'import { createHash } from "node:crypto";'],
    ["d2-core", 'import { readFileSync } from "fs";'],
    ["d2-core", 'import type { Document } from "d2-policy";'],
    ["d2-core", 'export * from "d2-sdk";'],
    ["d2-core", 'export type { Guard } from "d2-sdk";'],
    ["d2-core", 'type Guard = import("d2-sdk").Guard;'],
    ["d2-core", 'const later = await import("node:os");'],
    ["d2-core", "const later = (name: string) => import(name);"],
    ["d2-core", 'const fs = require("fs");'],
    ["d2-core", 'import fs = require("fs");'],
    ["d2-core", "const os = await import(`node:os`);"],
    ["d2-core", 'import { near } from "../../../policy/src/index.js";'],
    ["d2-core", 'import { near } from "./near";'],
    ["d2-core", 'import { far } from "./far.js";'],
    ["d2-policy", 'import { d2Guard } from "d2-sdk";'],
    ["d2-policy", 'import "node:fs";'],
    ["d2-policy", 'import { plan } from "d2-core/dist/plan.js";'],
    ["d2-policy", 'import { Hono } from "hono";'],
    ["d2-sdk", 'import express from "express";'],
    ["d2-sdk", 'import { policy } from "d2-cli";'],
    ["d2-sdk", 'import { d2Guard } from "d2-sdk";'],
  ])("refuses in %s: %s", (owner, text) => {
    expect(faults(owner, text)).toHaveLength(1);
  });

  it.each([
    [
      "d2-core",
      'import { RE2 } from "re2js"; import { isProxy } from "#platform"; import { sha256Hex } from "#platform/sha256"; import { a } from "./near.js";',
    ],
    ["d2-core", '// import "node:fs"\nconst text = \'import "node:fs"\';'],
    ["d2-policy", 'import { deny } from "d2-core"; import { parseDocument } from "yaml";'],
    [
      "d2-sdk",
      'import { deny } from "d2-core"; import { watch } from "node:fs"; import { read } from "d2-policy";',
    ],
  ])("accepts in %s: %s", (owner, text) => {
    expect(faults(owner, text)).toEqual([]);
  });

  it("lets only the platform modules import what is behind `#platform`", () => {
    expect(faults("d2-core", 'import { hash } from "node:crypto";', "platform/node-sha256.ts")).toEqual([]);
    expect(
      faults("d2-core", 'import { sha256 } from "@noble/hashes/sha2";', "platform/web-sha256.ts"),
    ).toEqual([]);
    expect(faults("d2-core", 'import { hash } from "node:fs";', "platform/node.ts")).toHaveLength(1);
  });

  it("finds circles, also those made of types and re-exports", () => {
    const module = (path: string, text: string): Module => ({ owner: "d2-core", path, text });
    const circle = [
      module("a.ts", 'import type { B } from "./b/b.js";'),
      module("b/b.ts", 'export * from "../c.js";'),
      module("c.ts", 'import { a } from "./a.js";'),
    ];
    expect(importCycles(circle)).toEqual(["a.ts -> b/b.ts -> c.ts -> a.ts"]);
    expect(importCycles([...circle.slice(0, 2), module("c.ts", "")])).toEqual([]);
    expect(importCycles([module("a.ts", 'import { a } from "./a.js";')])).toEqual(["a.ts -> a.ts"]);
  });
});

describe("the purity checker", () => {
  it.each([
    "Date.now();",
    'Date["now"]();',
    "Date[`now`]();",
    "Date[key]();",
    "const { now } = Date;",
    "const Clock = Date; Clock.now();",
    "new Date();",
    "new Date(...parts);",
    "new Date(2020, 1, 1);",
    "Date();",
    "class Clock extends Date {}",
    "Math.random();",
    'Math["random"]();',
    "const { random: dice } = Math;",
    "[Math].map((m) => m.random());",
    "process.env;",
    'typeof process === "undefined";',
    "const f = (process: { env: string }) => process.env;",
    "export { process };",
    "const bag = { console };",
    "console.log(1);",
    "setTimeout(() => 1, 1);",
    'fetch("x");',
    "performance.now();",
    'globalThis["Da" + "te"].now();',
    "const hidden = { a: [globalThis] };",
    '(0, eval)("1");',
    'new Function("return 1");',
    'Function("return 1")();',
    'const F = Function; F("return 1");',
    'isProxy.constructor("return 1")();',
    "const { constructor } = () => 1;",
    "const C = (() => 1).constructor;",
    'new Intl.Collator("de");',
    'require("fs");',
    '"a".localeCompare("b");',
    '"a"["localeCompare"]("b");',
    'const { localeCompare } = "a";',
    "(1).toLocaleString();",
    "instant.getHours();",
    "import.meta.url;",
    "crypto.randomUUID();",
    'new TextDecoder("utf-8");',
    "Buffer.from([]);",
    "Error.stackTraceLimit = 0;",
    "Array.prototype.last = 1;",
    "delete Object.prototype.toString;",
    "class A { static { fetch(1); } }",
    "class A { x = Date.now(); }",
    "enum Level { Low = Math.random() }",
    "const f = (at = Date.now()) => at;",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is code.
    "const text = `at ${Date.now()}`;",
    "const x = (Date as unknown as { now(): number }).now();",
    "let at = value satisfies unknown ? Date!.now() : 1;",
  ])("catches %s", (text) => {
    expect(impurities("planted.ts", `declare const key: string;\n${text}`)).not.toEqual([]);
  });

  it.each([
    "const at = new Date(0); at.toISOString();",
    "const ok = (value: unknown): value is Date => value instanceof Date;",
    'Date.parse("2020-01-01T00:00:00Z"); Date.UTC(2020, 0);',
    "Math.max(1, 2); Math.floor(1.5);",
    'const text = "Date.now() process console";',
    "// Math.random()\nexport const one = 1;",
    "interface Window { process: string; console: Date }",
    "const words = { process: 1, console: 2, fetch: 3 }; words.process;",
    "type Now = typeof Date.now; export type { Now as process };",
    "const history: readonly string[] = []; history.length;",
    'export { fetch } from "./near.js";',
    "value.constructor === Object; declare const value: object;",
    "fetch: for (const x of [1]) { if (x) continue fetch; }",
    "Object.freeze(new Map([[Symbol.iterator, BigInt(1)]]));",
    "const cell = { count: 0 }; cell.count++; delete cell.count;",
  ])("lets pass %s", (text) => {
    const known = text.includes("value.") ? text.replace("declare const value: object;", "") : text;
    const bound = text === known ? known : `export const f = (value: object) => ${known}`;
    expect(impurities("fine.ts", bound)).toEqual([]);
  });

  it("finds state at module level, and only there", () => {
    const text = `let count = 0;
      export var { total } = { total: 1 };
      const cache = new Map<string, number>();
      const list: string[] = [];
      const none: readonly string[] = [];
      const nothing: ReadonlySet<string> = new Set();
      const table = new Map([["a", 1]]);
      const names = new Set(["a"]);
      declare let ambient: number;
      function inside() { let local = 0; const seen = new Set(); return [local, seen]; }`;
    expect(mutableState("m.ts", text)).toEqual([
      "m.ts:1 count",
      "m.ts:2 total",
      "m.ts:3 cache",
      "m.ts:4 list",
    ]);
  });
});

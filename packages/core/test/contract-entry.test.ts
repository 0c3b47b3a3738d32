import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const sources = new URL("../src/", import.meta.url);

/** Every module that a module loads, by the imports that are more than types. */
function loaded(entry: string): ReadonlySet<string> {
  const found = new Set<string>();
  const pending = [new URL(entry, sources).pathname];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    const text = readFileSync(file, "utf8");
    for (const [, specifier = ""] of text.matchAll(
      /^(?:import|export) (?!type )[^;]*?from "(\.[^"]+)\.js";/gms,
    )) {
      pending.push(new URL(`${specifier}.ts`, `file://${file}`).pathname);
    }
  }
  return new Set([...found].map((file) => file.slice(sources.pathname.length)));
}

const isLayer = (file: string): boolean => /^(contract|gates|compose)\//.test(file);

describe("the decision layer's entry points", () => {
  it("are not loaded by what a guard needs before there is a policy", () => {
    const files = [...loaded("call.ts")];
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter(isLayer)).toEqual([]);
  });

  it("of the contract load neither gates nor the regex engine", () => {
    const files = [...loaded("decision-layer.ts")];
    expect(files).toContain("contract/decide-safe.ts");
    expect(files.filter((file) => /^(gates|compose|operators|plan)\//.test(file))).toEqual([]);
  });
});

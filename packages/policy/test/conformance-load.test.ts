import { readdirSync, readFileSync } from "node:fs";
import { BundleExpiredError, ConfigurationError, PolicyTooLargeError, TooManyToolsError } from "d2-core";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { loadPolicy } from "../src/index.js";

interface Case {
  readonly id: string;
  readonly policy: unknown;
  readonly limits?: { readonly maxTools?: number; readonly maxBundleBytes?: number };
  readonly expect?: { readonly load_error?: string | null };
}

const NOW = Date.UTC(2026, 5, 1);
const ERRORS: { readonly [name: string]: abstract new (...args: never[]) => Error } = {
  BundleExpiredError,
  ConfigurationError,
  PolicyTooLargeError,
  TooManyToolsError,
};

/** Replaces the placeholders of the vectors (see conformance/guard/README.md). */
function expand(value: unknown): unknown {
  if (typeof value === "string") {
    const pad = /^\$PAD(\d+)$/.exec(value);
    if (pad) return "x".repeat(Number(pad[1]));
    const offset = /^\$NOW([+-]\d+)$/.exec(value);
    return offset ? new Date(NOW + Number(offset[1]) * 1000).toISOString() : value;
  }
  if (Array.isArray(value)) return value.map(expand);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expand(inner)]));
}

const folder = new URL("../../../conformance/guard/", import.meta.url);
const cases: Case[] = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .flatMap((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")));

function load({ limits }: Case, policy: string | object, format?: "json"): () => unknown {
  return () => loadPolicy(policy, { now: NOW, limits, format });
}

function expectOutcome(found: Case, act: () => unknown): void {
  const name = found.expect?.load_error ?? null;
  const error = name === null ? undefined : ERRORS[name];
  if (error === undefined) expect(name).toBeNull();
  if (error === undefined) expect(act).not.toThrow();
  else expect(act).toThrow(error);
}

describe("every policy of the conformance cases", () => {
  it("is loaded or refused as the case says, as object, JSON and YAML", () => {
    const seen = new Set<string | null | undefined>();
    for (const found of cases) {
      seen.add(found.expect?.load_error);
      const policy = expand(found.policy);
      try {
        if (typeof policy === "string") {
          expectOutcome(found, load(found, policy));
          continue;
        }
        expectOutcome(found, load(found, policy as object));
        expectOutcome(found, load(found, JSON.stringify(policy), "json"));
        // The limit on size is a matter of the form, so it is not tried in YAML.
        if (found.expect?.load_error !== "PolicyTooLargeError")
          expectOutcome(found, load(found, stringify(policy)));
      } catch (error) {
        throw new Error(found.id, { cause: error });
      }
    }
    expect(seen).toEqual(new Set([undefined, null, ...Object.keys(ERRORS)]));
  });

  it("has one digest in all its forms", () => {
    let compared = 0;
    for (const found of cases) {
      const policy = expand(found.policy);
      if (typeof policy === "string" || (found.expect?.load_error ?? null) !== null) continue;
      const digests = [
        policy as object,
        JSON.stringify(policy),
        JSON.stringify(policy, null, "\t"),
        stringify(policy),
      ].map((form) => loadPolicy(form, { now: NOW }).digest);
      compared++;
      expect(new Set(digests).size).toBe(1);
    }
    expect(compared).toBeGreaterThan(500);
  });
});

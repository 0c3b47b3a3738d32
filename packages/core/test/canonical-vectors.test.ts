import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CanonicalError, canonicalJson, digest } from "../src/canonical/canonical-json.js";

interface Vector {
  readonly id: string;
  readonly input: unknown;
  readonly expect: { readonly canonical?: string; readonly digest?: string; readonly error?: string };
  readonly portable: boolean;
}

interface Difference {
  readonly file: string;
  readonly id: string;
  readonly we: "refuses" | "accepts";
  readonly clause: string;
}

const folder = new URL("../../../conformance/decisions/", import.meta.url);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), "utf8"));

// The files are ours and fixed: their shape is that of their README.
const vectors = (file: string) => (read(file) as { readonly vectors: readonly Vector[] }).vectors;
const differences = (read("intended-differences.json") as { readonly differences: readonly Difference[] })
  .differences;
const isIntended = (file: string, id: string, we: Difference["we"]) =>
  differences.some((one) => one.file === file && one.id === id && one.we === we);

class Opaque {}

/** Builds the value of an encoded input. What only Python has becomes the nearest thing of this language. */
function build(input: unknown): unknown {
  if (Array.isArray(input)) return input.map(build);
  if (typeof input !== "object" || input === null) return input;
  const fields = new Map<string, unknown>(Object.entries(input));
  const kind = fields.get("$t");
  if (typeof kind !== "string") return buildMapping([...fields]);
  return buildTagged(kind, fields.get("v"));
}

function buildMapping(entries: readonly (readonly [unknown, unknown])[]): unknown {
  const mapping: Record<PropertyKey, unknown> = {};
  for (const [key, value] of entries) {
    const built = build(key);
    // A key that is no string has no counterpart but a symbol.
    const name = typeof built === "string" ? built : Symbol("key");
    Object.defineProperty(mapping, name, { value: build(value), enumerable: true });
  }
  return mapping;
}

function buildTagged(kind: string, content: unknown): unknown {
  const text = String(content);
  switch (kind) {
    case "int":
      return BigInt(text);
    case "int_pow10":
      return 10n ** BigInt(text);
    case "float":
      return text === "inf" ? Number.POSITIVE_INFINITY : Number(text);
    case "map":
      return buildMapping(content as readonly (readonly [unknown, unknown])[]); // the README's shape of a map
    case "tuple":
      return build(content);
    case "set":
    case "frozenset":
      return new Set((content as readonly unknown[]).map(build)); // the README's shape of a set
    case "bytes":
    case "bytearray":
      return new Uint8Array([1]);
    case "datetime":
      return new Date(text);
    case "str_subclass":
      return text;
    case "int_subclass":
      return BigInt(text);
    case "opaque":
      return new Opaque();
  }
  throw new Error(`unknown encoding \`${kind}\``);
}

for (const file of ["canonical.json", "canonical_fuzz.json"]) {
  describe(`vectors of ${file}`, () => {
    for (const vector of vectors(file)) {
      if (isIntended(file, vector.id, "refuses")) {
        it(`refuses ${vector.id}, on purpose`, () => {
          expect(() => canonicalJson(build(vector.input))).toThrow(CanonicalError);
        });
      } else {
        it(`gives the text and the digest of ${vector.id}`, () => {
          const value = build(vector.input);
          expect(canonicalJson(value)).toBe(vector.expect.canonical);
          expect(digest(value)).toBe(vector.expect.digest);
        });
      }
    }
  });
}

describe("vectors of canonical_errors.json", () => {
  const file = "canonical_errors.json";
  for (const vector of vectors(file)) {
    if (isIntended(file, vector.id, "accepts")) {
      it(`accepts ${vector.id}, on purpose`, () => {
        expect(canonicalJson(build(vector.input))).toBeTypeOf("string");
      });
    } else {
      it(`refuses ${vector.id}`, () => {
        expect(() => canonicalJson(build(vector.input))).toThrow(CanonicalError);
      });
    }
  }
});

describe("the list of intended differences", () => {
  it("names vectors that exist, and the clause for each", () => {
    for (const { file, id, clause } of differences) {
      expect(vectors(file).some((vector) => vector.id === id)).toBe(true);
      expect(clause).not.toBe("");
    }
  });
});

import { describe, expect, it } from "vitest";
import { CanonicalError, canonicalJson, digest } from "../src/canonical/canonical-json.js";
import { build, differences, vectors } from "./encoded-input.js";

const isIntended = (file: string, id: string, we: string) =>
  differences.some((one) => one.file === file && one.id === id && one.we === we);

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
          expect(canonicalJson(value)).toBe(vector.expect["canonical"]);
          expect(digest(value)).toBe(vector.expect["digest"]);
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

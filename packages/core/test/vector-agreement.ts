import { describe, expect, it } from "vitest";
import { canonicalJson } from "../src/canonical/canonical-json.js";
import { D2Error } from "../src/errors.js";
import { isIntended, portableVectors, type Vector } from "./encoded-input.js";

export type Fields = Readonly<Record<string, unknown>>;

/** For each error class that a file's vectors name, the code of the error that we throw. */
export type Codes = Readonly<Record<string, string>>;

function answerOf(codes: Codes, run: () => Fields): Fields {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof D2Error)) throw error;
    const classes = Object.entries(codes).filter(([, code]) => code === error.code);
    return { errors: classes.map(([name]) => name), code: error.code };
  }
}

/** Whether we say what the vector says, fields aside that only Python can have (`detail.actual_type` is one within another). */
function agrees(vector: Vector, answer: Fields): boolean {
  const { error, ...fields } = vector.expect;
  const { errors } = answer;
  if (error !== undefined || errors !== undefined) return Array.isArray(errors) && errors.includes(error);
  const skipped = new Set(vector.python_specific);
  return Object.entries(fields).every(
    ([name, value]) =>
      skipped.has(name) || textOf(answer[name] ?? null, name, skipped) === textOf(value, name, skipped),
  );
}

function textOf(value: unknown, name: string, skipped: ReadonlySet<string>): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return canonicalJson(value);
  const kept = Object.entries(value).filter(([key]) => !skipped.has(`${name}.${key}`));
  return canonicalJson(Object.fromEntries(kept));
}

/** A test for every portable vector of a file: we agree, or, where the list of differences says so, we do not. */
export function checkVectors(file: string, codes: Codes, answer: (input: unknown) => Fields): void {
  describe(`vectors of ${file}`, () => {
    for (const vector of portableVectors(file)) {
      const intended = isIntended(file, vector.id);
      it(`${intended ? "are answered otherwise, on purpose" : "are answered alike"}: ${vector.id}`, () => {
        const given = answerOf(codes, () => answer(vector.input));
        const shown = JSON.stringify(given, (_, value) =>
          typeof value === "bigint" ? String(value) : value,
        );
        expect(agrees(vector, given), shown).toBe(!intended);
      });
    }
  });
}

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../src/canonical/canonical-json.js";
import { compareCodePoints } from "../src/canonical/code-point-order.js";

const integers = fc.oneof(
  fc.maxSafeInteger().map((number) => number + 0),
  fc.constant(0),
);
const texts = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("__proto__", "constructor", "toJSON", "0", "10", "length", "\uffff", "\u{10000}", "\u007f"),
);
const { tree: json } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    integers,
    texts,
    fc.array(tie("tree"), { maxLength: 5 }),
    fc.dictionary(texts, tie("tree"), { maxKeys: 6 }),
  ),
}));

/** The same value with the keys of every mapping written in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  const mapping: object = {};
  for (const [key, item] of Object.entries(value).reverse()) {
    Object.defineProperty(mapping, key, { value: reversed(item), enumerable: true });
  }
  return mapping;
}

describe("any JSON value of integers", () => {
  it("is what its canonical text parses to", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(text).toMatch(/^[ -~]*$/);
        // Parsed objects have a prototype; what fast-check makes has none.
        expect(JSON.stringify(reversed(JSON.parse(text)))).toBe(JSON.stringify(reversed(sorted(value))));
      }),
    );
  });

  it("has a canonical text that is canonical itself", () => {
    fc.assert(
      fc.property(json, (value) => canonicalJson(JSON.parse(canonicalJson(value))) === canonicalJson(value)),
    );
  });

  it("has one text whatever the order of insertion", () => {
    fc.assert(fc.property(json, (value) => canonicalJson(reversed(value)) === canonicalJson(value)));
  });
});

/** The same value with keys in code point order, as far as the engine keeps an order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const mapping: object = {};
  for (const [key, item] of Object.entries(value).sort(([left], [right]) => compareCodePoints(left, right))) {
    Object.defineProperty(mapping, key, { value: sorted(item), enumerable: true });
  }
  return mapping;
}

describe("code point order", () => {
  it("is the order of the code points themselves", () => {
    const points = (text: string) => Array.from(text, (char) => char.codePointAt(0) ?? 0);
    const compareLists = (left: number[], right: number[]): number => {
      for (const [index, point] of left.entries()) {
        const other = right[index];
        if (other === undefined) return 1;
        if (point !== other) return Math.sign(point - other);
      }
      return left.length < right.length ? -1 : 0;
    };
    const close = fc.string({
      unit: fc.constantFrom("a", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"),
    });
    fc.assert(
      fc.property(close, close, (left, right) => {
        return Math.sign(compareCodePoints(left, right)) === compareLists(points(left), points(right));
      }),
    );
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../src/canonical/canonical-json.js";
import { encodeTagged } from "../src/canonical/tagged.js";
import { capture } from "../src/record/capture.js";

const text = (value: unknown) => canonicalJson(encodeTagged(value));
class Point {
  x = 1;
}
const trap = () => {
  throw new Error("code of the value ran");
};

describe("a captured value", () => {
  it("is encoded like the value itself", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      withNullPrototype: true,
      withObjectString: true,
      withBoxedValues: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        expect(text(capture(value))).toBe(text(value));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["an accessor", Object.defineProperty({ a: 1 }, "b", { get: trap, enumerable: true })],
    ["a setter alone", Object.defineProperty({}, "b", { set: trap, enumerable: true })],
    ["a hidden property", Object.defineProperty({}, "b", { value: 1 })],
    ["a symbol key", { [Symbol("s")]: 1 }],
    ["an own key `__proto__`", JSON.parse('{"__proto__":{"a":1}}')],
    ["a proxy", [new Proxy({}, { get: trap, ownKeys: trap, getPrototypeOf: trap })]],
    ["an instance of a class", { point: new Point() }],
    ["a list with a getter", Object.defineProperty([1], 0, { get: trap, enumerable: true })],
    ["a list with a name", Object.assign([1], { name: 2 })],
    ["undefined inside", { a: undefined, b: [undefined] }],
  ])("runs no code of it: %s", (_, value) => {
    expect(text(capture(value))).toBe(text(value));
  });

  it("is encoded like a deep value or one inside itself", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 130; level++) deep = [deep];
    const cycle: unknown[] = [];
    cycle.push({ cycle });
    expect(text(capture(deep))).toBe(text(deep));
    expect(text(capture(cycle))).toBe(text(cycle));
  });

  it("stays as it was when the value changes", () => {
    const value = { list: [{ a: 1 }], name: "x" };
    const before = text(value);
    const kept = capture(value);
    value.list.push({ a: 2 });
    Object.assign(value.list[0] ?? {}, { a: 3 });
    value.name = "y";
    expect(text(kept)).toBe(before);
  });
});

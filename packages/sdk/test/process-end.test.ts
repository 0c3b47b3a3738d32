import { describe, expect, it } from "vitest";
import { atProcessEnd } from "../src/setup/process-end.js";

describe("what is done when the process ends", () => {
  it("takes one listener, however many instances ask, and none once nobody does", () => {
    const before = process.listenerCount("beforeExit");
    const callOff = Array.from({ length: 20 }, () => atProcessEnd("beforeExit", () => undefined));
    expect(process.listenerCount("beforeExit")).toBe(before + 1);
    for (const one of callOff) one();
    for (const again of callOff) again();
    expect(process.listenerCount("beforeExit")).toBe(before);
  });

  it("is done in order, and one that fails takes nobody else's turn", () => {
    const others = process.listeners("beforeExit");
    const done: string[] = [];
    const callOff = [
      atProcessEnd("beforeExit", () => done.push("first")),
      atProcessEnd("beforeExit", () => {
        throw new Error("on purpose");
      }),
      atProcessEnd("beforeExit", () => done.push("third")),
    ];
    const [ours] = process.listeners("beforeExit").filter((listener) => !others.includes(listener));
    ours?.(0);
    expect(done).toEqual(["first", "third"]);
    for (const one of callOff) one();
  });
});

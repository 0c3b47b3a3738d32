import { expect, it } from "vitest";
import { CASES, firstDifference } from "./random-agreement.js";

it("the plan agrees with the reference evaluator on random policies and sessions, even seeds", {
  timeout: 3_600_000,
}, () => {
  expect(firstDifference(0, CASES, 2)).toBeUndefined();
});

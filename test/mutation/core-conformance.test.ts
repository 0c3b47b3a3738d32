import { describe, expect, it } from "vitest";
import { CORE_SURFACE } from "../conformance/core-surface.js";
import { guardVectorFiles, pendingVectors } from "../conformance/expand.js";
import { needsTime, runVector } from "../conformance/run-vector.js";
import { firstDifference } from "../random-agreement.js";

// A quick net for `npm run mutation`: the vectors on the pure core, and some random cases. `npm test` runs more of both.
describe.each(guardVectorFiles())("%s", (file) => {
  it("holds on the core", async () => {
    for (const { make } of pendingVectors(file)) {
      const vector = make();
      if (!needsTime(vector.steps) && !JSON.stringify(vector.steps).includes("sleep_ms")) {
        await runVector(CORE_SURFACE, vector);
      }
    }
  });
});

it("the plan agrees with the reference evaluator on some random cases", () => {
  expect(firstDifference(500_000, 1500)).toBeUndefined();
});

import { describe, it } from "vitest";
import { CORE_SURFACE } from "./conformance/core-surface.js";
import { guardVectorFiles, pendingVectors } from "./conformance/expand.js";
import { needsTime, runVector } from "./conformance/run-vector.js";
import { RECORDED_SURFACES, SDK_SURFACES } from "./conformance/sdk-surfaces.js";

const surfaces = [CORE_SURFACE, ...SDK_SURFACES, ...RECORDED_SURFACES];
const files = guardVectorFiles().map((file) => ({ file, vectors: pendingVectors(file) }));

describe.each(surfaces)("the guard vectors on the $name", (surface) => {
  for (const { file, vectors } of files) {
    // A synchronous function cannot be half way through: vectors that need that run on the asynchronous surfaces.
    const possible = vectors.filter(({ make }) => surface.asynchronous || !needsTime(make().steps));
    if (possible.length === 0) continue;
    describe(file, () => {
      it.each(possible)("$id", async ({ make }) => {
        await runVector(surface, make());
      });
    });
  }
});

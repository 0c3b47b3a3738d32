import { mergeConfig } from "vitest/config";
import root from "../../vitest.config.js";

// What says whether a mutant of the core lives: its own tests, the guard vectors on the core, and random agreement.
export default mergeConfig(root, {
  test: { include: ["packages/core/test/*.test.ts", "test/mutation/*.test.ts"], exclude: ["**/canonical*", "**/tagged*"] },
});

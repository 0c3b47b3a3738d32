import root from "../../vitest.config.js";

// What says whether a mutant of the core lives: the core's own tests, the guard vectors on it, and random agreement.
export default {
  ...root,
  test: {
    ...root.test,
    include: ["packages/core/test/*.test.ts", "test/mutation/*.test.ts"],
    exclude: ["**/canonical*", "**/tagged*", "**/platform*"],
  },
};

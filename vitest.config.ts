import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Tests run on the sources, so that none of them can pass on a stale build.
export default defineConfig({
  resolve: {
    alias: {
      "#platform": at("packages/core/src/platform/node.ts"),
      "d2-core": at("packages/core/src/index.ts"),
      "d2-policy": at("packages/policy/src/index.ts"),
      "d2-sdk": at("packages/sdk/src/index.ts"),
    },
  },
  test: { include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"], testTimeout: 30_000 },
});

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vitest/config";
import { defineConfig } from "vitest/config";

interface Manifest {
  readonly name: string;
  readonly imports?: Record<string, { readonly node: string }>;
  readonly exports: Record<string, string | { readonly types: string }>;
}

const packages = new URL("./packages/", import.meta.url);

/**
 * Every entry point of every package, mapped to its source: tests run on the sources, so that none of them can pass
 * on a stale build. The manifests are the one list of entry points.
 */
function sourceAliases(): { find: RegExp; replacement: string }[] {
  const exact = (name: string) => new RegExp(`^${name.replaceAll(/[/.]/g, "\\$&")}$`);
  return readdirSync(packages).flatMap((folder) => {
    const home = new URL(`${folder}/`, packages);
    const manifest: Manifest = JSON.parse(readFileSync(new URL("package.json", home), "utf8"));
    const source = (built: string) =>
      fileURLToPath(new URL(built.replace(/^\.\/dist\//, "src/").replace(/(\.d\.ts|\.js)$/, ".ts"), home));
    const entries = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
      typeof target === "string"
        ? []
        : [{ find: exact(manifest.name + subpath.slice(1)), replacement: source(target.types) }],
    );
    const inner = Object.entries(manifest.imports ?? {}).map(([name, target]) => ({
      find: exact(name),
      replacement: source(target.node),
    }));
    return [...entries, ...inner];
  });
}

/**
 * Vite's own transformer leaves standard decorators as they are, and no Node runs them yet: TypeScript lowers them.
 * Files named `*.legacy.ts` and `*.legacy.test.ts` get the decorators of before the standard.
 */
const decorators: Plugin = {
  name: "decorators",
  enforce: "pre",
  async transform(code, id) {
    const file = id.split("?")[0] ?? id;
    if (!/\/test\/.*\.ts$/.test(file) || !/(^|[\s{;)])@[A-Za-z_$(]/m.test(code)) return null;
    const { default: ts } = await import("typescript");
    const { outputText, sourceMapText } = ts.transpileModule(code, {
      fileName: file,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        experimentalDecorators: /\.legacy\.(test\.)?ts$/.test(file),
        sourceMap: true,
      },
    });
    return { code: outputText, map: sourceMapText === undefined ? null : JSON.parse(sourceMapText) };
  },
};

export default defineConfig({
  plugins: [decorators],
  resolve: { alias: sourceAliases() },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 30_000,
    // One file a core; vitest would leave one idle.
    maxWorkers: "100%",
    // Long enough for a failed comparison of lists to name what is in them.
    chaiConfig: { truncateThreshold: 2000 },
  },
});

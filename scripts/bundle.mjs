// Joins the compiled modules of each package into one file an entry point, and shared chunks: a guard is loaded at the
// start of programs, where every module costs a read of the disk. The compiled modules stay beside, with their types.
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { publishedPackages } from "./entry-points.mjs";

for (const { folder, entryPoints } of publishedPackages()) {
  const { imports = {}, bin = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const programs = Object.values(bin).map((file) => file.replace(/^\.\/lib\//, "").replace(/\.js$/, ""));
  const names = entryPoints.map(({ types }) => types.replace(/^\.\/dist\//, "").replace(/\.d\.ts$/, ""));
  const input = Object.fromEntries(
    [...names, ...programs].map((name) => [name, join(folder, "dist", `${name}.js`)]),
  );
  const bundle = await rolldown({
    input,
    // Other packages, Node's own modules and what the manifest maps are left to whoever loads the bundle.
    external: (id) => (!id.startsWith(".") && !id.startsWith("/")) || Object.hasOwn(imports, id),
    treeshake: { moduleSideEffects: programs.length > 0 },
    logLevel: "warn",
  });
  const lib = join(folder, "lib");
  const before = new Set(existsSync(lib) ? readdirSync(lib, { recursive: true, encoding: "utf8" }) : []);
  const { output } = await bundle.write({
    dir: lib,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "shared/[name].js",
    // What a guard and the web middleware have in common is one file, not one for each set of entry points.
    codeSplitting: {
      groups: [{ name: "guard", test: /[\\/]dist[\\/](context|setup)[\\/]/, minShareCount: 2 }],
    },
    minify: false,
    sourcemap: false,
  });
  await bundle.close();
  for (const program of programs) chmodSync(join(lib, `${program}.js`), 0o755);
  for (const { fileName } of output) before.delete(fileName);
  for (const stale of before) if (stale.endsWith(".js")) rmSync(join(lib, stale));
}

// Packs the packages, installs them into a project outside of this repository, and compiles and runs a program there.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publishedPackages, root } from "./entry-points.mjs";

/**
 * @typedef {object} Outcome
 * @property {string} name
 * @property {string} [fault] What went wrong; absent when nothing did.
 */

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 */
function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    timeout: 300_000,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${stdout}${stderr}`.trim() || `ended with ${status}`);
  return stdout;
}

/**
 * @param {import("./entry-points.mjs").Package} owner
 * @param {string} scratch
 * @returns {string} The path of the tarball.
 */
function pack(owner, scratch) {
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", scratch], owner.folder));
  /** @type {string[]} */
  const paths = packed.files.map((/** @type {{ path: string }} */ file) => file.path);
  const manifest = JSON.parse(readFileSync(join(owner.folder, "package.json"), "utf8"));
  /** @type {Record<string, string | Record<string, string>>} */
  const entries = { ...manifest.exports, ...manifest.imports, ...manifest.bin };
  const wanted = Object.values(entries).flatMap((target) =>
    typeof target === "string" ? [target] : Object.values(target),
  );
  const missing = ["LICENSE", ...wanted.map((path) => path.slice(2))].filter((path) => !paths.includes(path));
  if (missing.length > 0) throw new Error(`the tarball lacks ${missing.join(", ")}`);
  const strange = paths.filter(
    (path) => !/^(lib|dist|src|schema)\/|^(LICENSE|README\.md|package\.json)$/.test(path),
  );
  const unwanted = [...strange, ...paths.filter((path) => /\.(test\.\w+|tsbuildinfo)$/.test(path))];
  if (unwanted.length > 0) throw new Error(`the tarball should not hold ${unwanted.join(", ")}`);
  return join(scratch, packed.filename);
}

/**
 * @param {(outcome: Outcome) => void} report Told of every check as it ends.
 */
export function checkConsumer(report) {
  const scratch = mkdtempSync(join(tmpdir(), "d2-consumer-"));
  /**
   * @template T
   * @param {string} name
   * @param {() => T} work
   * @returns {T | undefined}
   */
  const step = (name, work) => {
    try {
      const result = work();
      report({ name });
      return result;
    } catch (error) {
      report({ name, fault: error.message });
      return undefined;
    }
  };
  try {
    const tarballs = publishedPackages().map((owner) =>
      step(`pack ${owner.name}`, () => pack(owner, scratch)),
    );
    const installed = step("install the tarballs outside", () => {
      const packed = tarballs.filter((tarball) => tarball !== undefined);
      if (packed.length < tarballs.length) throw new Error("not every package could be packed");
      cpSync(join(root, "test", "consumer"), scratch, { recursive: true });
      const manifest = { name: "outside", private: true, type: "module" };
      writeFileSync(join(scratch, "package.json"), JSON.stringify(manifest));
      const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
      const nodeTypes = `@types/node@${devDependencies["@types/node"]}`;
      run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", ...packed, nodeTypes], scratch);
      return true;
    });
    step("run the installed command", () => {
      if (!installed) throw new Error("nothing is installed");
      const d2 = join(scratch, "node_modules", ".bin", "d2");
      const { version } = JSON.parse(readFileSync(join(root, "packages", "cli", "package.json"), "utf8"));
      if (run(d2, ["--version"], scratch).trim() !== version) throw new Error("it has another version");
      run(d2, ["init", "--output", "started.yaml"], scratch);
      run(d2, ["inspect", "--policy", "started.yaml", "--json"], scratch);
    });
    const compilers = {
      TypeScript: join(root, "node_modules", "typescript", "bin", "tsc"),
      "native TypeScript": join(root, "tools", "check", "node_modules", "typescript-native", "bin", "tsc"),
    };
    for (const resolution of ["node16", "bundler"]) {
      for (const [compiler, tsc] of Object.entries(compilers)) {
        step(`compile outside, ${resolution}, ${compiler}`, () => {
          if (!installed) throw new Error("nothing is installed");
          run(process.execPath, [tsc, "-p", `tsconfig.${resolution}.json`], scratch);
        });
      }
      step(`run outside, ${resolution}`, () => {
        run(process.execPath, [join(scratch, `out-${resolution}`, "main.js")], scratch);
      });
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  checkConsumer(({ name, fault }) => {
    console.log(fault === undefined ? `ok      ${name}` : `FAILED  ${name}\n${fault}`);
    if (fault !== undefined) process.exitCode = 1;
  });
}

// Runs tests on every Node release that is supported, each taken from the locked packages of tools/nodes.
//
//   npm run matrix                     the tests of the packages that touch Node, and the demo
//   npm run matrix -- --all            every test
//   npm run matrix -- packages/sdk/test/context.test.ts
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./entry-points.mjs";

/** What behaves differently from one Node to the next: async context, files, sockets, worker threads. */
export const NODE_TESTS = ["packages/sdk/test"];

/**
 * The releases that are there. None on a machine for which the packages have no binary.
 *
 * @returns {{ major: number, node: string }[]}
 */
export function nodes() {
  return [20, 22, 24]
    .map((major) => ({
      major,
      node: join(root, "tools", "nodes", "node_modules", `node-${major}`, "bin", "node"),
    }))
    .filter(({ node }) => existsSync(node));
}

/** @param {string[]} args */
function main(args) {
  if (nodes().length === 0) {
    console.error("tools/nodes has no Node for this machine: its packages are for Linux on x64");
    process.exitCode = 1;
  }
  const files = args.includes("--all") ? [] : args.length > 0 ? args : NODE_TESTS;
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const demo = join(root, "examples", "agent-demo", "main.js");
  for (const { major, node } of nodes()) {
    const runs = [[vitest, "run", ...files], ...(args.length > 0 ? [] : [[demo]])];
    for (const argv of runs) {
      console.log(`\n== Node ${major}: ${argv.slice(1).join(" ") || "npm start"}`);
      const { status } = spawnSync(node, argv, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
      if (status !== 0) process.exitCode = 1;
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { Figure } from "../figure.js";
import { median } from "../timing.js";

const here = fileURLToPath(new URL("..", import.meta.url));

/** Runs a module text in a fresh process and gives the number it prints. */
function fresh(text: string): number {
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", text], {
    cwd: here,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

const importing = (module: string): string =>
  `const begin = performance.now(); await import(${JSON.stringify(module)}); console.log(performance.now() - begin);`;

const CLI = createRequire(import.meta.url)
  .resolve("d2-cli/package.json")
  .replace(/package\.json$/, "lib/d2.js");

/** Milliseconds of a process from its start to its end. */
function whole(...args: string[]): number {
  const begin = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: here, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return performance.now() - begin;
}

/** A file too, so that what is left is what the package itself costs. */
const EMPTY = new URL("../empty-module.js", import.meta.url).href;

const POLICY = fileURLToPath(new URL("../../examples/policies/data-platform/policy.yaml", import.meta.url));

const FIRST_CALL = `
import { configureRbac, d2Guard, runAs } from "d2-sdk";
const logger = { debug() {}, info() {}, warn() {}, error() {} };
await configureRbac({ logger, policy: { policies: [{ role: "a", permissions: ["t"] }] } });
const tool = d2Guard("t", (n) => n);
const first = runAs("u", { roles: ["a"] }, () => {
  const begin = performance.now();
  tool(1);
  return performance.now() - begin;
});
console.log(first);
process.exit(0);
`;

export function measure(): Figure[] {
  const rounds = Array.from({ length: 5 }, () => ({
    empty: fresh(importing(EMPTY)),
    sdk: fresh(importing("d2-sdk")),
    first: fresh(FIRST_CALL),
    nothing: whole(fileURLToPath(EMPTY)),
    help: whole(CLI, "--help"),
    inspect: whole(CLI, "inspect", "--policy", POLICY),
  }));
  const of = (pick: (round: (typeof rounds)[number]) => number): number => median(rounds.map(pick));
  return [
    {
      what: "import of `d2-sdk`, over an empty file",
      unit: "ms",
      value: of(({ sdk, empty }) => sdk - empty),
      atMost: 30,
    },
    {
      what: "`d2 --help`, over an empty process",
      unit: "ms",
      value: of(({ help, nothing }) => help - nothing),
      atMost: 150,
    },
    {
      what: "`d2 inspect` of a policy of 5 roles, over an empty process",
      unit: "ms",
      value: of(({ inspect, nothing }) => inspect - nothing),
      atMost: 150,
    },
    { what: "first guarded call in a fresh process", unit: "ms", value: of(({ first }) => first), atMost: 1 },
  ];
}

// The checks of continuous integration, one after another; .ci/run starts it. A test counts as one, and so does every
// other check. Arguments choose steps by name: `node scripts/ci.mjs lint types`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { root } from "./entry-points.mjs";
import { examples } from "./example.mjs";
import { NODE_TESTS, nodes } from "./node-matrix.mjs";

const MAX_SHOWN_LINES = 200;
const MAX_LINES_A_TEST = 25;
const MAX_LINE_LENGTH = 400;
const STEP_TIMEOUT_MS = 10 * 60_000;

const chosen = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "d2-ci-"));
const totals = { passed: 0, failed: 0 };
/** @type {string[]} */
const failures = [];

/**
 * @param {string} name
 * @param {{ passed: number, failed: number, seconds?: number, output?: string | undefined }} result
 */
function record(name, { passed, failed, seconds, output = "" }) {
  totals.passed += passed;
  totals.failed += failed;
  const counts = passed + failed === 1 ? "" : `, ${passed} passed${failed > 0 ? `, ${failed} failed` : ""}`;
  const time = seconds === undefined ? "" : ` (${seconds.toFixed(1)} s${counts})`;
  console.log(`${failed === 0 ? "ok     " : "FAILED "} ${name}${time}`);
  if (failed === 0) return;
  failures.push(name);
  const lines = stripVTControlCharacters(output).trimEnd().split("\n");
  if (lines.length > MAX_SHOWN_LINES)
    console.log(`        ... ${lines.length - MAX_SHOWN_LINES} lines before`);
  for (const line of lines.slice(-MAX_SHOWN_LINES)) console.log(`        ${line.slice(0, MAX_LINE_LENGTH)}`);
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const start = performance.now();
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, CI: "true", NO_COLOR: "1", FORCE_COLOR: undefined },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: STEP_TIMEOUT_MS,
    maxBuffer: 256 * 1024 * 1024,
  });
  const ending = error !== undefined ? `\n${error.message}` : signal !== null ? `\nended by ${signal}` : "";
  const seconds = (performance.now() - start) / 1000;
  return { ok: status === 0, output: `${stdout}${stderr}${ending}`, seconds };
}

/**
 * One command that must end well.
 *
 * @param {string} name
 * @param {string} command
 * @param {string[]} args
 */
function check(name, command, args) {
  const { ok, output, seconds } = run(command, args);
  record(name, { passed: ok ? 1 : 0, failed: ok ? 0 : 1, seconds, output });
  return ok;
}

/**
 * One run of vitest, of which every test counts.
 *
 * @param {string} name
 * @param {string} command
 * @param {string[]} args All but the reporters.
 */
function test(name, command, args) {
  const report = join(scratch, `${name.replaceAll(/\W+/g, "-")}.json`);
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile.json=${report}`];
  const { ok, output, seconds } = run(command, [...args, ...reporters]);
  const counted = existsSync(report)
    ? count(JSON.parse(readFileSync(report, "utf8")))
    : { passed: 0, faults: [] };
  // A run can fail without a failed test: in the build before it, in an unhandled rejection, for want of any test.
  if (counted.faults.length === 0 && (!ok || counted.passed === 0)) counted.faults.push(output);
  const { passed, faults } = counted;
  record(name, { passed, failed: faults.length, seconds, output: faults.join("\n\n") });
}

/**
 * @typedef {object} VitestFile
 * @property {string} name
 * @property {string} status
 * @property {string} [message]
 * @property {{ status: string, fullName: string, failureMessages?: string[] }[]} assertionResults
 */

/**
 * @param {{ testResults: VitestFile[] }} report Of vitest.
 * @returns {{ passed: number, faults: string[] }}
 */
function count({ testResults }) {
  const tests = testResults.flatMap((file) => file.assertionResults.map((result) => ({ file, result })));
  const failed = tests.filter(({ result }) => result.status === "failed");
  const faults = failed.map(({ file, result }) => {
    const lines = (result.failureMessages ?? [])
      .flatMap((message) => message.split("\n"))
      .filter((line) => !/^\s+at .*(node_modules|node:internal|<anonymous>)/.test(line));
    return [`${relative(root, file.name)}: ${result.fullName}`, ...lines.slice(0, MAX_LINES_A_TEST)].join(
      "\n",
    );
  });
  // A file that cannot be loaded, or whose hooks fail, has failed without any failed test in it.
  const broken = testResults.filter(
    (file) => file.status === "failed" && !failed.some((test) => test.file === file),
  );
  for (const file of broken)
    faults.push(`${relative(root, file.name)}: ${file.message ?? "cannot be loaded"}`);
  return { passed: tests.filter(({ result }) => result.status === "passed").length, faults };
}

/** @param {string[]} path */
const local = (...path) => join(root, "node_modules", ...path);
const tsc = local("typescript", "bin", "tsc");

/** @type {Record<string, () => void | Promise<void>>} */
const steps = {
  test: () => test("npm test", "npm", ["test", "--"]),

  start: () => {
    check("npm start", "npm", ["start"]);
  },

  lint: () => {
    check("lint and format", process.execPath, [
      local("@biomejs", "biome", "bin", "biome"),
      "ci",
      "--colors=off",
      ".",
    ]);
  },

  types: () => {
    check("types of the scripts", process.execPath, [tsc, "-p", "tsconfig.scripts.json"]);
    check("types of the tests", process.execPath, [tsc, "-p", "tsconfig.test.json"]);
    check("types of the tests of legacy decorators", process.execPath, [
      tsc,
      "-p",
      "tsconfig.test-legacy.json",
    ]);
  },

  examples: () => {
    for (const { name, program } of examples()) check(`example ${name}`, process.execPath, [program]);
  },

  api: () => {
    if (check("install tools/check", process.execPath, ["scripts/prepare.mjs", "tools/check"])) {
      check("the API reports are what the code says", process.execPath, ["scripts/api.mjs", "--check"]);
    }
  },

  consumer: async () => {
    if (check("install tools/check", process.execPath, ["scripts/prepare.mjs", "tools/check"])) {
      const { checkConsumer } = await import("./consumer.mjs");
      let last = performance.now();
      checkConsumer(({ name, fault }) => {
        const seconds = (performance.now() - last) / 1000;
        last = performance.now();
        record(name, {
          passed: fault === undefined ? 1 : 0,
          failed: fault === undefined ? 0 : 1,
          seconds,
          output: fault,
        });
      });
    }
  },

  nodes: () => {
    if (process.platform !== "linux" || process.arch !== "x64") {
      console.log("left out: the Node releases of tools/nodes are for Linux on x64");
      return;
    }
    if (!check("install tools/nodes", process.execPath, ["scripts/prepare.mjs", "tools/nodes"])) return;
    const found = nodes();
    record("Node 20, 22 and 24 are there", {
      passed: found.length === 3 ? 1 : 0,
      failed: found.length === 3 ? 0 : 1,
    });
    for (const { major, node } of found) {
      test(`tests on Node ${major}`, node, [local("vitest", "vitest.mjs"), "run", ...NODE_TESTS]);
      check(`demo on Node ${major}`, node, ["examples/agent-demo/main.js"]);
    }
  },

  browser: () => {
    if (!existsSync("/usr/bin/chromium")) {
      // Debian's own; where it cannot be had, the failure is this step's.
      check("look for a browser", "apt-get", ["update"]);
      check("install a browser", "apt-get", ["install", "-y", "--no-install-recommends", "chromium"]);
    }
    if (!check("install tools/browser", process.execPath, ["scripts/prepare.mjs", "tools/browser"])) return;
    test("one log, replayed on every Node and in a browser", process.execPath, [
      local("vitest", "vitest.mjs"),
      "run",
      "test/replay-everywhere.test.ts",
    ]);
  },

  bench: () => {
    if (existsSync(join(root, "bench", "main.ts"))) {
      check("the benchmarks compile", process.execPath, ["scripts/prepare.mjs", "bench"]);
    }
  },
};

const unknown = chosen.filter((name) => !Object.hasOwn(steps, name));
if (unknown.length > 0) {
  console.error(`unknown step \`${unknown.join("`, `")}\`: use ${Object.keys(steps).join(", ")}`);
  process.exit(2);
}
try {
  for (const [name, step] of Object.entries(steps)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    try {
      await step();
    } catch (error) {
      record(name, { passed: 0, failed: 1, output: `${error.stack}` });
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (failures.length > 0) console.log(`\nfailed: ${failures.join(", ")}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 ? 0 : 1;

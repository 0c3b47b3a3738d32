// The public face of every package as text, in etc/api/, so that a change of it shows in a review.
//
//   npm run api          writes the reports
//   npm run api:check    fails when one differs from what is committed
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publishedPackages, root } from "./entry-points.mjs";

const tools = createRequire(join(root, "tools", "check", "package.json"));
const { CompilerState, Extractor, ExtractorConfig } = tools("@microsoft/api-extractor");

const committed = join(root, "etc", "api");

/**
 * @param {import("./entry-points.mjs").Package} owner
 * @param {string} subpath
 */
const reportName = (owner, subpath) => `${owner.name}${subpath.slice(1).replaceAll("/", "-")}`;

/**
 * @param {import("./entry-points.mjs").Package} owner
 * @param {{ subpath: string, types: string }} entryPoint
 * @param {string} folder Where the report is written.
 */
function configure(owner, { subpath, types }, folder) {
  return ExtractorConfig.prepare({
    configObjectFullPath: join(owner.folder, "api-extractor.json"),
    packageJsonFullPath: join(owner.folder, "package.json"),
    configObject: {
      projectFolder: owner.folder,
      mainEntryPointFilePath: join(owner.folder, types),
      compiler: { tsconfigFilePath: join(owner.folder, "tsconfig.json") },
      newlineKind: "lf",
      apiReport: {
        enabled: true,
        reportFileName: reportName(owner, subpath),
        reportFolder: folder,
        reportTempFolder: join(folder, "temp"),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        // Doc comments here are prose, without release tags.
        extractorMessageReporting: {
          default: { logLevel: "none" },
          "ae-forgotten-export": { logLevel: "warning", addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: { logLevel: "none" } },
        compilerMessageReporting: { default: { logLevel: "error" } },
      },
    },
  });
}

/**
 * @param {string} folder
 * @returns {Map<string, string>} Report by file name.
 */
function generate(folder) {
  const reports = new Map();
  for (const owner of publishedPackages()) {
    const configs = owner.entryPoints.map((entryPoint) => configure(owner, entryPoint, folder));
    const [first, ...others] = configs;
    const compilerState = CompilerState.create(first, {
      additionalEntryPoints: others.map((config) => config.mainEntryPointFilePath),
    });
    for (const config of configs) {
      const result = Extractor.invoke(config, {
        compilerState,
        localBuild: true,
        messageCallback: (/** @type {{ logLevel: string, handled: boolean }} */ message) => {
          message.handled = message.logLevel !== "error";
        },
      });
      if (result.errorCount > 0) throw new Error(`the types of ${config.reportFilePath} have errors`);
      const file = `${config.reportFilePath.split(/[\\/]/).pop()}`;
      // Line numbers would make a report differ whenever a comment grows.
      const report = readFileSync(config.reportFilePath, "utf8").replaceAll(
        /^(\/\/ \S+?):\d+:\d+ - /gm,
        "$1 - ",
      );
      reports.set(file, report);
    }
  }
  return reports;
}

/**
 * The lines that differ, the common start and end left out.
 *
 * @param {string} before
 * @param {string} after
 */
function difference(before, after) {
  const [old, now] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  /**
   * @param {string[]} lines
   * @param {string} mark
   */
  const marked = (lines, mark) => lines.slice(start, lines.length - end).map((line) => `${mark} ${line}`);
  const shown = [...marked(old, "-"), ...marked(now, "+")];
  return [`@@ line ${start + 1}`, ...shown.slice(0, 60), ...(shown.length > 60 ? ["..."] : [])].join("\n");
}

const scratch = mkdtempSync(join(tmpdir(), "d2-api-"));
try {
  const reports = generate(scratch);
  mkdirSync(committed, { recursive: true });
  const known = readdirSync(committed).filter((file) => file.endsWith(".api.md"));
  if (process.argv.includes("--check")) {
    const faults = [...new Set([...reports.keys(), ...known])].sort().flatMap((file) => {
      const now = reports.get(file);
      if (now === undefined) return [`etc/api/${file} is the report of an entry point that is gone`];
      if (!existsSync(join(committed, file))) return [`etc/api/${file} is missing`];
      const before = readFileSync(join(committed, file), "utf8").replaceAll("\r\n", "\n");
      return before === now ? [] : [`etc/api/${file} differs from the code\n${difference(before, now)}`];
    });
    if (faults.length > 0) {
      console.error(faults.join("\n\n"));
      console.error("\nthe public face has changed: if that is meant, run `npm run api` and commit etc/api");
      process.exitCode = 1;
    }
  } else {
    for (const file of known) if (!reports.has(file)) rmSync(join(committed, file));
    for (const [file, report] of reports) writeFileSync(join(committed, file), report);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

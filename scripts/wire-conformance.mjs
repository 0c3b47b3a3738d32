// Runs the conformance list of the wire protocol (conformance/wire) against a server.
//
//   npm run wire-conformance -- URL TOKEN [--runtime TOKEN] [--admin TOKEN] [--section 2,3] [--only ID,ID]
//
// TOKEN is a developer token; cases whose token is not given are skipped. Prints a line for each case and the count
// last; exits with 1 when a case failed, 2 when the arguments cannot be used.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { root } from "./entry-points.mjs";
import { readCases } from "./wire/cases.mjs";
import { WireRun } from "./wire/run.mjs";

const FOLDER = join(root, "conformance", "wire");

const USAGE =
  "usage: npm run wire-conformance -- URL TOKEN [--runtime TOKEN] [--admin TOKEN] [--section 2,3] [--only ID,ID]";

const WORDS = { passed: "pass", failed: "FAIL", skipped: "skip" };

/**
 * All cases that are asked for, in order; `cases` in place of the list.
 *
 * @param {import("./wire/run.mjs").Target & { sections?: string[], only?: string[], cases?: import("./wire/cases.mjs").Case[] }} options
 * @param {(outcome: import("./wire/run.mjs").Outcome) => void} [tell] Hears of each case as it ends.
 */
export async function runWireCases(
  { sections, only, cases = readCases(FOLDER), ...target },
  tell = () => undefined,
) {
  const run = new WireRun(target);
  const outcomes = [];
  for (const wanted of cases) {
    if (sections !== undefined && !sections.includes(wanted.section)) continue;
    if (only !== undefined && !only.includes(wanted.id)) continue;
    const outcome = await run.run(wanted);
    tell(outcome);
    outcomes.push(outcome);
  }
  return outcomes;
}

/** @param {import("./wire/run.mjs").Outcome} outcome */
function lineOf({ id, name, outcome, reasons }) {
  return [`${WORDS[outcome]}  ${id}: ${name}`, ...reasons.map((reason) => `        ${reason}`)].join("\n");
}

/** @param {string[]} args */
function readArguments(args) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        runtime: { type: "string" },
        admin: { type: "string" },
        section: { type: "string" },
        only: { type: "string" },
      },
    });
    const [url, developer, ...rest] = positionals;
    if (url === undefined || developer === undefined || rest.length > 0 || !URL.canParse(url))
      return undefined;
    const { runtime, admin, section, only } = values;
    return {
      url,
      tokens: {
        developer,
        ...(runtime === undefined ? {} : { runtime }),
        ...(admin === undefined ? {} : { admin }),
      },
      ...(section === undefined ? {} : { sections: section.split(",") }),
      ...(only === undefined ? {} : { only: only.split(",") }),
    };
  } catch {
    return undefined;
  }
}

/** @param {string[]} args */
async function main(args) {
  const options = readArguments(args);
  if (options === undefined) {
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  const outcomes = await runWireCases(options, (outcome) => console.log(lineOf(outcome)));
  /** @param {string} wanted */
  const count = (wanted) => outcomes.filter(({ outcome }) => outcome === wanted).length;
  console.log(`${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`);
  if (count("failed") > 0) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));

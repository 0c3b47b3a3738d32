import {
  coverageText,
  junitReport,
  prettyReport,
  runPolicyTests,
  type TestRun,
  tapReport,
} from "d2-policy/testing";
import { type Options, type Run, textOption } from "../command.js";
import { ANSWER_IS_NO, type ExitCode, OK } from "../exit-code.js";
import { tellFailure } from "../failure.js";
import type { Terminal } from "../terminal.js";
import { findTestFiles, readTestGroups } from "../test-files.js";
import { UsageError } from "../usage-error.js";
import { watchFiles } from "../watch-files.js";
import { wholeNumber } from "../whole-number.js";

export const runTest: Run = async ([named], options, terminal) => {
  const given = Array.isArray(named) ? named : [];
  const least = wholeNumber(options, "minCoverage");
  if (least !== undefined && least > 100)
    throw new UsageError("`--min-coverage` is a percentage, from 0 to 100");
  if (options["watch"] !== true) return (await runOnce(given, least, options, terminal)).code;
  if (textOption(options, "policy") === "-")
    throw new UsageError("`--watch` cannot watch standard input: name a file");
  for (;;) {
    const since = terminal.now();
    const { code, files } = await runWatched(given, least, options, terminal);
    const changed = watchFiles(files, since);
    terminal.printError(terminal.errorMarks.faint("waiting for a change; end with Ctrl-C\n"));
    if (!(await changed)) return code;
  }
};

interface Outcome {
  readonly code: ExitCode;
  /** Absolute paths of what it depends on. */
  readonly files: readonly string[];
}

/** A run whose faults are told and end nothing: the next change may mend them. */
async function runWatched(
  given: readonly string[],
  least: number | undefined,
  options: Options,
  terminal: Terminal,
): Promise<Outcome> {
  try {
    return await runOnce(given, least, options, terminal);
  } catch (error) {
    const code = tellFailure(error, "test", options, terminal);
    const policy = textOption(options, "policy");
    const places = [...given, ...(policy === undefined ? [] : [policy])].map((name) => terminal.path(name));
    return { code, files: places.length === 0 ? [terminal.folder] : places };
  }
}

async function runOnce(
  given: readonly string[],
  least: number | undefined,
  options: Options,
  terminal: Terminal,
): Promise<Outcome> {
  const files = findTestFiles(terminal, given);
  const groups = await readTestGroups(terminal, files, textOption(options, "policy"));
  const runs = groups.map(({ open: { policy, file, locate }, tests }) =>
    runPolicyTests(policy, tests, { policyFile: file, locate, filter: textOption(options, "filter") }),
  );
  print(runs, options, terminal);
  const paths = groups.flatMap(({ open }) => open.path ?? []);
  return { code: verdict(runs, least, options, terminal), files: [...files, ...paths] };
}

function verdict(
  runs: readonly TestRun[],
  least: number | undefined,
  options: Options,
  terminal: Terminal,
): ExitCode {
  const ran = runs.reduce((sum, { counts }) => sum + counts.total, 0);
  if (ran === 0) {
    const filter = textOption(options, "filter");
    throw new UsageError(
      filter === undefined
        ? "the test files hold no test: write one"
        : `no test's name contains \`${filter}\`: mend \`--filter\``,
    );
  }
  const short = least === undefined ? [] : runs.filter(({ coverage }) => coverage.percent < least);
  for (const { policy, coverage } of short) {
    terminal.printError(
      `${terminal.errorMarks.bad("d2:")} the tests touch ${coverage.percent} % of the rules of \`${policy.file ?? policy.name}\`, and ${least} % are asked for: \`--coverage\` lists the others\n`,
    );
  }
  const passed = runs.every(({ counts }) => counts.failed === 0 && counts.errors === 0);
  return passed && short.length === 0 ? OK : ANSWER_IS_NO;
}

function print(runs: readonly TestRun[], options: Options, terminal: Terminal): void {
  const { marks } = terminal;
  const reporter = options["json"] === true ? "json" : (textOption(options, "reporter") ?? "pretty");
  switch (reporter) {
    case "json":
      terminal.printJson("test", { runs });
      return;
    case "junit":
      terminal.print(junitReport(runs));
      return;
    case "tap":
      terminal.print(tapReport(runs));
      return;
  }
  for (const run of runs) {
    terminal.print(prettyReport(run, marks));
    if (options["coverage"] === true) terminal.print(`\n${coverageText(run.coverage, marks)}`);
  }
}

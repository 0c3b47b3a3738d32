import {
  compareLog,
  compareText,
  type PolicyLookup,
  type ReplayOptions,
  replayLog,
  replayText,
} from "d2-policy/log";
import { type Run, textArgument, textOption } from "../command.js";
import { ANSWER_IS_NO, type ExitCode, OK } from "../exit-code.js";
import { keptPolicy, type OpenLog, openLog } from "../log-file.js";
import { type OpenPolicy, openPolicy } from "../policy-file.js";
import { Progress } from "../progress.js";
import { wholeNumber } from "../whole-number.js";
import { readHeadFile } from "./verify.js";

export const runReplay: Run = async (args, options, terminal) => {
  const log = openLog(terminal, textArgument(args, 0));
  const named = textOption(options, "policy");
  const given = named === undefined ? undefined : await openPolicy(terminal, named);
  const progress = new Progress(terminal);
  const replay: ReplayOptions = {
    ...(log.files?.heads && { heads: readHeadFile(terminal, undefined, log.files.heads).heads }),
    stream: log.files?.stream,
    policies: lookup(log, given),
    progressEvery: 5_000,
    onProgress: ({ events }) => progress.show(`replayed ${events} events`),
  };
  const against = textOption(options, "against");
  const json = options["json"] === true;
  if (against === undefined) {
    const result = await replayLog(log.source(), replay);
    progress.done();
    if (json) terminal.printJson("replay", { log: log.file, ...result });
    else terminal.print(replayText(result, { file: log.file, marks: terminal.marks }));
    return verdict(result.ok && result.replay.different === 0);
  }
  const other = await openPolicy(terminal, against);
  const result = await compareLog(log.source(), {
    ...replay,
    against: other.policy,
    maxExamples: wholeNumber(options, "examples") ?? 10,
  });
  progress.done();
  const names = { log: log.file, against: other.file };
  if (json) terminal.printJson("replay", { ...names, ...result });
  else terminal.print(compareText(result, { file: log.file, marks: terminal.marks }));
  return verdict(result.ok && result.replay.different === 0 && result.comparison.changes.total === 0);
};

function verdict(yes: boolean): ExitCode {
  return yes ? OK : ANSWER_IS_NO;
}

/** Policies by digest: the one that was given, and those kept beside the log. */
function lookup(log: OpenLog, given: OpenPolicy | undefined): PolicyLookup {
  return (digest) => {
    if (given?.policy.digest === digest) return given.policy;
    return log.files === undefined ? undefined : keptPolicy(log.files, digest);
  };
}

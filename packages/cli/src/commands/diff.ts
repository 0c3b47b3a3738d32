import { diffPolicies, diffText } from "d2-policy/diff";
import { listOption, type Run, textArgument, textOption } from "../command.js";
import { ANSWER_IS_NO, OK } from "../exit-code.js";
import { openPolicy } from "../policy-file.js";
import { UsageError } from "../usage-error.js";
import { wholeNumber } from "../whole-number.js";

export const runDiff: Run = async (args, options, terminal) => {
  const [old, next] = [textArgument(args, 0), textArgument(args, 1)];
  if (old === "-" && next === "-") {
    throw new UsageError(
      "standard input is read once, and both policies want it: name a file for one of them",
    );
  }
  const before = await openPolicy(terminal, old);
  const after = await openPolicy(terminal, next);
  const roles = listOption(options, "roles");
  const diff = diffPolicies(before.policy, after.policy, {
    roles: roles && [roles],
    maxStates: wholeNumber(options, "maxStates"),
    locateBefore: before.locate,
    locateAfter: after.locate,
  });
  const files = { beforeFile: before.file, afterFile: after.file };
  if (options["json"] === true) terminal.printJson("diff", { ...files, ...diff });
  else terminal.print(`${diffText(diff, terminal.marks, files).trimEnd()}\n`);
  switch (textOption(options, "failOn")) {
    case "loosened":
      return diff.mayLoosen ? ANSWER_IS_NO : OK;
    case "any":
      return diff.direction === "same" && !diff.incomplete ? OK : ANSWER_IS_NO;
  }
  return OK;
};

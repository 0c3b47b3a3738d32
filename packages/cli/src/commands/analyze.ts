import { type Analysis, analysisText, analyzePolicy } from "d2-policy/analyze";
import { listOption, type Run, textOption } from "../command.js";
import { confirmedByGuard } from "../confirm-script.js";
import { ANSWER_IS_NO, OK } from "../exit-code.js";
import { openPolicy } from "../policy-file.js";
import { UsageError } from "../usage-error.js";
import { wholeNumber } from "../whole-number.js";
import { knownRoles } from "./inspect.js";

export const runAnalyze: Run = async (_args, options, terminal) => {
  const [from, to] = [textOption(options, "from"), textOption(options, "to")];
  if (from !== undefined && to === undefined) {
    throw new UsageError(
      "`--from` asks what can follow: name that with `--to`, a tool, a pattern or an @group",
    );
  }
  const open = await openPolicy(terminal, textOption(options, "policy"));
  const roles = knownRoles(open, listOption(options, "role"), "role");
  const analysis = analyzePolicy(
    open.policy,
    { roles, from, to },
    {
      maxStates: wholeNumber(options, "maxStates"),
      locate: open.locate,
      confirm: (script) => confirmedByGuard(open.text, script),
    },
  );
  if (options["json"] === true) terminal.printJson("analyze", { policy: open.file, ...analysis });
  else terminal.print(analysisText(analysis, terminal.marks));
  return options["check"] === true && !isClear(analysis) ? ANSWER_IS_NO : OK;
};

/** Whether nothing can happen, and nothing was found, and every search came to its end. */
function isClear({ answers, findings, unfinished }: Analysis): boolean {
  return (
    answers.every(({ answer }) => answer === "cannot") && findings.length === 0 && unfinished.length === 0
  );
}

import { readFileSync } from "node:fs";
import { diagnosePolicy, diagnosisText, type FoundCode } from "d2-policy/diagnose";
import { type Options, type Run, textOption } from "../command.js";
import { ANSWER_IS_NO, OK } from "../exit-code.js";
import { readPolicyFile } from "../policy-file.js";
import { Progress } from "../progress.js";
import type { Terminal } from "../terminal.js";

export const runDiagnose: Run = async (_args, options, terminal) => {
  const { file, format, text } = await readPolicyFile(terminal, textOption(options, "policy"));
  const code = options["code"] === false ? undefined : await scan(options, terminal);
  const diagnosis = diagnosePolicy(text, { file, format, now: terminal.now(), code });
  if (options["json"] === true) terminal.printJson("diagnose", { ...diagnosis });
  else {
    const { marks, coloured } = terminal;
    const codeText = (name: string) => readFileSync(terminal.path(name), "utf8");
    terminal.print(
      `${diagnosisText(diagnosis, { text, file, codeText, marks, color: coloured }).trimEnd()}\n`,
    );
  }
  const { errors, warnings } = diagnosis;
  return errors > 0 || (options["strict"] === true && warnings > 0) ? ANSWER_IS_NO : OK;
};

/** The guarded tools of the project, with their files as they are to be shown from here. */
async function scan(options: Options, terminal: Terminal): Promise<FoundCode> {
  const { scanProject } = await import("../scan/scan-project.js");
  const root = terminal.path(textOption(options, "path") ?? ".");
  const progress = new Progress(terminal);
  const found = await scanProject(root, { onProgress: (files) => progress.show(`read ${files} files`) });
  progress.done();
  const shown = <T extends { readonly file: string }>(place: T): T => ({
    ...place,
    file: terminal.shown(terminal.path(`${root}/${place.file}`)),
  });
  return { ...found, tools: found.tools.map(shown), dynamic: found.dynamic.map(shown) };
}

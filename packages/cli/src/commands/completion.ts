import type { Run } from "../command.js";
import { completionScript, isShell } from "../completion.js";
import { OK } from "../exit-code.js";
import { UsageError } from "../usage-error.js";

export const runCompletion: Run = async ([shell], options, terminal, commands) => {
  if (typeof shell !== "string" || !isShell(shell)) throw new UsageError("name a shell: bash, zsh or fish");
  const script = completionScript(shell, commands);
  if (options["json"] === true) terminal.printJson("completion", { shell, script });
  else terminal.print(script);
  return OK;
};

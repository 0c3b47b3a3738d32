import { appName } from "../cloud/app-name.js";
import { ControlPlane } from "../cloud/control-plane.js";
import { accessOf } from "../cloud/credentials.js";
import { itemsOf, membersOf, wordOf } from "../cloud/members.js";
import { type Run, textArgument, textOption } from "../command.js";
import { ANSWER_IS_NO, OK } from "../exit-code.js";
import { readPolicyFile } from "../policy-file.js";
import { wholeNumber } from "../whole-number.js";

export const runDraft: Run = async (args, options, terminal) => {
  const plane = new ControlPlane(accessOf(terminal, options));
  const file = textArgument(args, 0);
  const { text, format } = await readPolicyFile(terminal, file === "" ? undefined : file);
  const { body } = await plane.ask({
    method: "PUT",
    path: "/v1/policy/draft",
    // A policy that cannot be read does not tell its app itself.
    query: { app_name: textOption(options, "appName") ?? appName(terminal, options) },
    body: { text, format, version: wholeNumber(options, "version") },
  });
  const kept = membersOf(body);
  const diagnostics = itemsOf(kept["diagnostics"]);
  if (options["json"] === true) terminal.printJson("draft", { draft: kept });
  else {
    terminal.print(
      `kept as the draft of \`${wordOf(kept["app_name"])}\`, on top of version ${wordOf(kept["version"])}\n`,
    );
    for (const { severity, code, message, line, column } of diagnostics) {
      const place = line === undefined ? "" : `${wordOf(line)}:${wordOf(column)} `;
      terminal.print(`  ${wordOf(severity)}[${wordOf(code)}] ${place}${wordOf(message)}\n`);
    }
  }
  return kept["valid"] === true ? OK : ANSWER_IS_NO;
};

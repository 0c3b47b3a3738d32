import { readPolicyText } from "d2-policy";
import { namedApp } from "../cloud/app-name.js";
import { ControlPlane } from "../cloud/control-plane.js";
import { accessOf } from "../cloud/credentials.js";
import { itemsOf, membersOf, wordOf } from "../cloud/members.js";
import { type Options, type Run, textArgument, textOption } from "../command.js";
import { ANSWER_IS_NO, OK } from "../exit-code.js";
import { readPolicyFile } from "../policy-file.js";
import type { Terminal } from "../terminal.js";
import { wholeNumber } from "../whole-number.js";

export const runDraft: Run = async (args, options, terminal) => {
  const plane = new ControlPlane(accessOf(terminal, options));
  const file = textArgument(args, 0);
  const { text, format } = await readPolicyFile(terminal, file === "" ? undefined : file);
  const { body } = await plane.ask({
    method: "PUT",
    path: "/v1/policy/draft",
    query: { app_name: textOption(options, "appName") ?? appUnlessTold(text, format, options, terminal) },
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

/** A draft that does not tell its app itself, for want of a name or because it cannot be read, is for the app that is meant. */
function appUnlessTold(
  text: string,
  format: "yaml" | "json",
  options: Options,
  terminal: Terminal,
): string | undefined {
  const { tree } = readPolicyText(text, { format });
  const metadata = tree instanceof Map ? tree.get("metadata") : undefined;
  const name = metadata instanceof Map ? metadata.get("name") : undefined;
  return typeof name === "string" ? undefined : namedApp(terminal, options);
}

import { ControlPlane } from "../cloud/control-plane.js";
import { accessOf, readCredentials, writeCredentials } from "../cloud/credentials.js";
import { itemsOf, membersOf, wordOf } from "../cloud/members.js";
import { type Run, textArgument } from "../command.js";
import { OK } from "../exit-code.js";
import { UsageError } from "../usage-error.js";

export const runSwitch: Run = async (args, options, terminal) => {
  const app = textArgument(args, 0);
  const { body } = await new ControlPlane(accessOf(terminal, options)).ask({ path: "/v1/apps" });
  const names = itemsOf(membersOf(body)["apps"]).map(({ name }) => wordOf(name));
  if (!names.includes(app)) {
    throw new UsageError(
      `the account has no app \`${app}\`: it has ${names.map((name) => `\`${name}\``).join(", ") || "none yet"}`,
    );
  }
  writeCredentials(terminal, { ...readCredentials(terminal), app });
  if (options["json"] === true) terminal.printJson("switch", { app });
  else terminal.print(`the other commands now mean \`${app}\` where none is named\n`);
  return OK;
};

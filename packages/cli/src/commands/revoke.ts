import { appOf } from "../cloud/app-name.js";
import { confirmed } from "../cloud/confirm.js";
import { ControlPlane } from "../cloud/control-plane.js";
import { accessOf } from "../cloud/credentials.js";
import { membersOf, wordOf } from "../cloud/members.js";
import type { Run } from "../command.js";
import { ANSWER_IS_NO, OK } from "../exit-code.js";

export const runRevoke: Run = async (_args, options, terminal) => {
  const plane = new ControlPlane(accessOf(terminal, options));
  const app = await appOf(plane, terminal, options);
  const shown = app === undefined ? "the app" : `\`${app}\``;
  if (!(await confirmed(`stop every program that runs under the policy of ${shown}?`, options, terminal)))
    return ANSWER_IS_NO;
  const { body } = await plane.ask({ method: "POST", path: "/v1/policy/revoke", query: { app_name: app } });
  const revoked = membersOf(body);
  if (options["json"] === true) terminal.printJson("revoke", { revoked });
  else
    terminal.print(
      `\`${wordOf(revoked["app_name"])}\` is revoked: programs deny everything from their next poll on\n`,
    );
  return OK;
};

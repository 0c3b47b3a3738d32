import { appOf } from "../cloud/app-name.js";
import { confirmed } from "../cloud/confirm.js";
import { ControlPlane } from "../cloud/control-plane.js";
import { accessOf } from "../cloud/credentials.js";
import { membersOf, wordOf } from "../cloud/members.js";
import { type Run, textArgument } from "../command.js";
import { ANSWER_IS_NO, OK } from "../exit-code.js";
import { UsageError } from "../usage-error.js";

export const runRollback: Run = async (args, options, terminal) => {
  const version = textArgument(args, 0);
  if (!/^[1-9]\d{0,8}$/.test(version))
    throw new UsageError("name the version to publish again: `d2 versions` lists them");
  const plane = new ControlPlane(accessOf(terminal, options));
  const app = await appOf(plane, terminal, options);
  if (!(await confirmed(`publish version ${version} again as the newest one?`, options, terminal)))
    return ANSWER_IS_NO;
  const { body } = await plane.ask({
    method: "POST",
    path: "/v1/policy/rollback",
    query: { app_name: app },
    body: { version: Number(version) },
  });
  const published = membersOf(body);
  if (options["json"] === true) terminal.printJson("rollback", { published });
  else terminal.print(`version ${wordOf(published["version"])} is live: the content of version ${version}\n`);
  return OK;
};

import { ControlPlane } from "../cloud/control-plane.js";
import { accessOf } from "../cloud/credentials.js";
import { columns, membersOf, wordOf } from "../cloud/members.js";
import type { Run } from "../command.js";
import { OK } from "../exit-code.js";

export const runWhoami: Run = async (_args, options, terminal) => {
  const access = accessOf(terminal, options);
  const { body } = await new ControlPlane(access).ask({ path: "/v1/accounts/me" });
  const me = membersOf(body);
  if (options["json"] === true) {
    terminal.printJson("whoami", { api_url: access.apiUrl, token_from: access.from, account: me });
    return OK;
  }
  const token = membersOf(me["token"]);
  const scopes = Array.isArray(token["scopes"]) ? token["scopes"].join(", ") : "-";
  const app = membersOf(me["app"])["name"];
  terminal.print(
    columns([
      ["control plane", access.apiUrl],
      ["account", `${wordOf(me["account_id"])} (${wordOf(me["name"])}, plan ${wordOf(me["plan"])})`],
      ["token", `${wordOf(token["kind"])}, from ${access.from}`],
      ["may", scopes],
      ...(typeof app === "string" ? [["app", app]] : []),
    ]),
  );
  return OK;
};

import { appOf } from "../cloud/app-name.js";
import { ControlPlane } from "../cloud/control-plane.js";
import { accessOf } from "../cloud/credentials.js";
import { columns, itemsOf, membersOf, wordOf } from "../cloud/members.js";
import type { Run } from "../command.js";
import { OK } from "../exit-code.js";
import { wholeNumber } from "../whole-number.js";

export const runVersions: Run = async (_args, options, terminal) => {
  const plane = new ControlPlane(accessOf(terminal, options));
  const { body } = await plane.ask({
    path: "/v1/policy/versions",
    query: { app_name: await appOf(plane, terminal, options), limit: wholeNumber(options, "limit") },
  });
  const { app_name: app, current_version: current, revoked_at: revoked, versions } = membersOf(body);
  const list = itemsOf(versions);
  if (options["json"] === true) {
    terminal.printJson("versions", { app, current, revoked_at: revoked, versions: list });
    return OK;
  }
  if (list.length === 0) terminal.print(`nothing was published for \`${wordOf(app)}\` yet\n`);
  else {
    terminal.print(
      columns([
        ["version", "published", "by", "policy", ""],
        ...list.map((it) => [
          wordOf(it["version"]),
          wordOf(it["published_at"]),
          it["key_id"] === null ? "rollback" : wordOf(it["key_id"]),
          wordOf(it["policy_digest"]).slice(0, 16),
          [
            it["version"] === current ? (revoked === null ? "live" : "revoked") : "",
            it["rollback_of"] === null ? "" : `as version ${wordOf(it["rollback_of"])}`,
          ]
            .filter((word) => word !== "")
            .join(", "),
        ]),
      ]),
    );
  }
  return OK;
};

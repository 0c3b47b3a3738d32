import { ControlPlane } from "../cloud/control-plane.js";
import { accessOf } from "../cloud/credentials.js";
import { deviceKey } from "../cloud/device-key.js";
import { columns, itemsOf, membersOf, wordOf } from "../cloud/members.js";
import type { Run } from "../command.js";
import { OK } from "../exit-code.js";

export const runKeys: Run = async (_args, options, terminal) => {
  const { body } = await new ControlPlane(accessOf(terminal, options)).ask({ path: "/v1/keys" });
  const keys = itemsOf(membersOf(body)["keys"]);
  const own = deviceKey(terminal).keyId;
  if (options["json"] === true) terminal.printJson("keys", { own, keys });
  else if (keys.length === 0)
    terminal.print("no key may publish yet: the first `d2 publish` registers this device's\n");
  else {
    terminal.print(
      columns([
        ["key", "since", "state", ""],
        ...keys.map(({ key_id: id, created_at: since, revoked_at: revoked }) => [
          wordOf(id),
          wordOf(since),
          revoked === null ? "may publish" : `revoked ${wordOf(revoked)}`,
          id === own ? "this device" : "",
        ]),
      ]),
    );
  }
  return OK;
};

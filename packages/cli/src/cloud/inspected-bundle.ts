import { type LoadedPolicy, loadPolicy } from "d2-policy";
import type { Options } from "../command.js";
import type { Terminal } from "../terminal.js";
import { appOf } from "./app-name.js";
import { CloudError } from "./cloud-error.js";
import { ControlPlane } from "./control-plane.js";
import { accessOf } from "./credentials.js";
import { publishedPolicy } from "./published.js";

/** The policy that is live at the control plane, verified, to be looked at. */
export async function inspectedBundle(
  options: Options,
  terminal: Terminal,
): Promise<{ readonly policy: LoadedPolicy; readonly file: string }> {
  const plane = new ControlPlane(accessOf(terminal, options));
  const app = await appOf(plane, terminal, options);
  const published = await publishedPolicy(plane, app, terminal);
  if (published === undefined) {
    throw new CloudError("nothing is published for the app, or it is revoked: `d2 status` tells more", {
      code: "policy_not_found",
    });
  }
  const { content, version, audience } = published.bundle;
  const limits = { maxTools: Number.MAX_SAFE_INTEGER };
  const policy = loadPolicy(content, { now: Number.NEGATIVE_INFINITY, limits });
  return { policy, file: `version ${version} of ${audience.split(":").at(-1)}` };
}

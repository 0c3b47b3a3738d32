import { appOf } from "../cloud/app-name.js";
import { ControlPlane } from "../cloud/control-plane.js";
import { accessOf } from "../cloud/credentials.js";
import { columns, itemsOf, membersOf, wordOf } from "../cloud/members.js";
import { publishedPolicy } from "../cloud/published.js";
import type { Run } from "../command.js";
import { OK } from "../exit-code.js";

export const runStatus: Run = async (_args, options, terminal) => {
  const access = accessOf(terminal, options);
  const plane = new ControlPlane(access);
  const app = await appOf(plane, terminal, options);
  const list = await plane.ask({ path: "/v1/policy/versions", query: { app_name: app, limit: 1 } });
  const { app_name: name, current_version: current, revoked_at: revoked, versions } = membersOf(list.body);
  const [live] = itemsOf(versions);
  const published = revoked === null ? await publishedPolicy(plane, app, terminal) : undefined;
  const keys = itemsOf(membersOf(JSON.parse(await plane.keyList()))["keys"]).map(({ kid }) => wordOf(kid));
  const bundle = published?.bundle;
  const expires = bundle?.expiresAt === undefined ? undefined : new Date(bundle.expiresAt).toISOString();
  if (options["json"] === true) {
    const status = { api_url: access.apiUrl, app: name, current_version: current, revoked_at: revoked };
    terminal.printJson("status", {
      ...status,
      verified: bundle !== undefined,
      etag: published?.etag,
      bundle_expires_at: expires,
      signing_keys: keys,
    });
    return OK;
  }
  terminal.print(
    columns([
      ["control plane", access.apiUrl],
      ["app", wordOf(name)],
      ["state", stateWords(current, revoked)],
      ...(live === undefined
        ? []
        : [["published", `${wordOf(live["published_at"])} by ${wordOf(live["key_id"])}`]]),
      ...(bundle === undefined
        ? []
        : [
            ["signature", "verified"],
            ["bundle until", expires ?? "no end"],
          ]),
      ["signing keys", keys.join(", ")],
    ]),
  );
  return OK;
};

function stateWords(current: unknown, revoked: unknown): string {
  if (current === 0) return "nothing was published yet: everything is denied";
  if (revoked !== null) return `revoked ${wordOf(revoked)}: everything is denied until a newer version`;
  return `version ${wordOf(current)} is live`;
}

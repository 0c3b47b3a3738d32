import { type Bundle, openBundle } from "d2-sdk/cloud";
import type { Terminal } from "../terminal.js";
import { CloudError } from "./cloud-error.js";
import type { ControlPlane } from "./control-plane.js";
import { membersOf } from "./members.js";

/** What is published, verified: the policy as the guards of the app take it. */
export interface PublishedPolicy {
  readonly bundle: Bundle;
  /** As the control plane names it for `If-Match`. */
  readonly etag: string | undefined;
}

/**
 * Fetches the published bundle of an app and verifies it: key, signature, claims.
 *
 * @returns undefined when nothing is published, or the app is revoked
 */
export async function publishedPolicy(
  plane: ControlPlane,
  app: string | undefined,
  terminal: Terminal,
): Promise<PublishedPolicy | undefined> {
  const reply = await plane.ask({
    path: "/v1/policy/bundle",
    query: { app_name: app, stage: "published" },
    accept: [404, 410],
  });
  if (reply.status === 404 && membersOf(reply.body)["code"] !== "policy_not_found") {
    const code = membersOf(reply.body)["code"];
    if (code !== "app_not_found") throw CloudError.of(404, reply.body, plane.url);
  }
  if (reply.status !== 200) return undefined;
  const { jws, version } = membersOf(reply.body);
  const etag = reply.headers.get("etag") ?? undefined;
  if (typeof jws !== "string") {
    throw new CloudError("the control plane's answer holds no signed bundle, and nothing else is taken", {
      code: "no_bundle",
    });
  }
  const raw = { jws, version: typeof version === "number" ? version : 0, etag };
  const bundle = await openBundle(raw, await plane.keyList(), terminal.now());
  return { bundle, etag };
}

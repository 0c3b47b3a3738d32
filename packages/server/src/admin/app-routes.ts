import { z } from "zod";
import { type Route, route } from "../http/route.js";
import type { AppMaker } from "../http/services.js";
import type { App } from "../storage/storage.js";
import { instant } from "./instant.js";

/** The name of an app, which is the `metadata.name` of its policies. */
export const APP_NAME = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,128}$/)
  .describe("1 to 128 letters, digits, `.`, `_`, `-`");

const APP = z.object({
  id: z.string(),
  name: z.string(),
  created_at: z.string(),
  current_version: z.int().describe("0: nothing was published yet"),
  revoked_at: z.string().nullable(),
});

function shown(app: App): z.input<typeof APP> {
  return {
    id: app.id,
    name: app.name,
    created_at: instant(app.createdAt),
    current_version: app.currentVersion,
    revoked_at: instant(app.revokedAt),
  };
}

/** `GET` and `POST /v1/apps`. */
export function appRoutes(creation: AppMaker): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/apps",
      summary: "The account's apps, by name",
      tag: "apps",
      access: { scopes: ["admin", "policy.write"] },
      responses: { 200: { description: "All apps", schema: z.object({ apps: z.array(APP) }) } },
      async handler({ services, identity }) {
        const apps = await services.storage.apps(identity.accountId);
        return { status: 200, body: { apps: apps.map(shown) } };
      },
    }),
    route({
      method: "POST",
      path: "/v1/apps",
      summary: "Makes an app",
      tag: "apps",
      access: { scopes: ["admin"] },
      body: z.strictObject({ name: APP_NAME }),
      responses: {
        201: { description: "The new app", schema: APP },
        403: { description: "`quota_apps_exceeded`: the plan has no room for another" },
        409: { description: "`app_exists`: the name is taken" },
      },
      async handler({ identity, body }) {
        const app = await creation.create(identity.accountId, body.name);
        return { status: 201, body: shown(app) };
      },
    }),
  ];
}

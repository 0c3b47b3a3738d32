import { z } from "zod";
import { Problem } from "../http/problem.js";
import { type Route, route } from "../http/route.js";
import type { Services } from "../http/services.js";
import type { App } from "../storage/storage.js";
import { newId } from "./id.js";
import { instant } from "./instant.js";
import { planNamed } from "./plan.js";

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

/** One after the other for each account, so that two requests cannot both take the last place that a plan has. */
class AppCreation {
  readonly #last = new Map<string, Promise<unknown>>();

  create(services: Services, accountId: string, name: string): Promise<App> {
    const before = this.#last.get(accountId) ?? Promise.resolve();
    const next = before.then(() => createApp(services, accountId, name));
    const settled = next.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(accountId, settled);
    void settled.then(() => {
      if (this.#last.get(accountId) === settled) this.#last.delete(accountId);
    });
    return next;
  }
}

async function createApp(services: Services, accountId: string, name: string): Promise<App> {
  const { storage, settings, clock, randomBytes } = services;
  if ((await storage.appByName(accountId, name)) !== undefined) throw taken();
  const account = await storage.account(accountId);
  const { max_apps: most } = planNamed(settings, account?.plan ?? "");
  if (most !== undefined && (await storage.countApps(accountId)) >= most) {
    throw new Problem(403, "quota_apps_exceeded", {
      detail: `quota_apps_exceeded: the plan has room for ${most} apps`,
    });
  }
  const app: App = {
    id: newId("app", randomBytes),
    accountId,
    name,
    createdAt: clock(),
    currentVersion: 0,
    revokedAt: null,
  };
  if (!(await storage.createApp(app))) throw taken();
  return app;
}

function taken(): Problem {
  return new Problem(409, "app_exists", { detail: "the account has an app of this name" });
}

/** `GET` and `POST /v1/apps`. */
export function appRoutes(): readonly Route[] {
  const creation = new AppCreation();
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
      async handler({ services, identity, body }) {
        const app = await creation.create(services, identity.accountId, body.name);
        return { status: 201, body: shown(app) };
      },
    }),
  ];
}

import { z } from "zod";
import { APP_NAME } from "../admin/app-routes.js";
import { instant } from "../admin/instant.js";
import type { AppNames } from "../bundles/app-names.js";
import { type Route, route } from "../http/route.js";
import type { Services } from "../http/services.js";
import type { App, PolicyVersion } from "../storage/storage.js";
import { policyDifference } from "./policy-difference.js";
import { versionNotFound } from "./publisher.js";
import { shownVersion, VERSION, VERSION_NUMBER } from "./shown-version.js";

const APP_QUERY = z.object({ app_name: APP_NAME.optional() });
const ACCESS = { scopes: ["policy.read", "policy.write"] } as const;

async function versionOf({ storage }: Services, app: App, version: number): Promise<PolicyVersion> {
  const found = await storage.version(app.id, version);
  if (found === undefined) throw versionNotFound();
  return found;
}

/** `GET /v1/policy/versions`, `/{n}` and `/{n}/diff`. */
export function versionRoutes(names: AppNames): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/policy/versions",
      summary: "The versions of an app, newest first",
      tag: "policies",
      access: ACCESS,
      query: APP_QUERY.extend({ limit: z.coerce.number().int().min(1).max(1000).default(100) }),
      responses: {
        200: {
          description: "The newest ones",
          schema: z.object({
            app_id: z.string(),
            app_name: z.string(),
            current_version: z.int(),
            revoked_at: z.string().nullable(),
            versions: z.array(VERSION),
          }),
        },
      },
      async handler({ services, identity, query }) {
        const app = await names.forTools(identity, query.app_name);
        const versions = await services.storage.versions(app.id, query.limit);
        return {
          status: 200,
          body: {
            app_id: app.id,
            app_name: app.name,
            current_version: app.currentVersion,
            revoked_at: instant(app.revokedAt),
            versions: versions.map(shownVersion),
          },
        };
      },
    }),
    route({
      method: "GET",
      path: "/v1/policy/versions/{version}",
      summary: "A version with its text",
      tag: "policies",
      access: ACCESS,
      params: z.object({ version: VERSION_NUMBER }),
      query: APP_QUERY,
      responses: {
        200: {
          description: "The version",
          schema: VERSION.extend({ text: z.string(), signature: z.string().nullable() }),
        },
        404: { description: "`version_not_found`, `app_not_found`" },
      },
      async handler({ services, identity, params, query }) {
        const app = await names.forTools(identity, query.app_name);
        const version = await versionOf(services, app, params.version);
        const { text, signature } = version;
        return { status: 200, body: { ...shownVersion(version), text, signature } };
      },
    }),
    route({
      method: "GET",
      path: "/v1/policy/versions/{version}/diff",
      summary: "What changed in meaning from one version to another",
      tag: "policies",
      access: ACCESS,
      params: z.object({ version: VERSION_NUMBER }),
      query: APP_QUERY.extend({
        against: VERSION_NUMBER.optional().describe("The older one. Default: the version before."),
      }),
      responses: {
        200: {
          description: "The difference",
          schema: z.object({ version: z.int(), against: z.int(), difference: z.looseObject({}) }),
        },
        404: { description: "`version_not_found`, `app_not_found`" },
      },
      async handler({ services, identity, params, query }) {
        const app = await names.forTools(identity, query.app_name);
        const against = query.against ?? params.version - 1;
        const [before, after] = await Promise.all([
          versionOf(services, app, against),
          versionOf(services, app, params.version),
        ]);
        const difference = await policyDifference(before, after);
        return { status: 200, body: { version: params.version, against, difference } };
      },
    }),
  ];
}

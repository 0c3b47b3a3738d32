import { DEFAULT_MAX_BYTES } from "d2-core";
import { z } from "zod";
import { APP_NAME } from "../admin/app-routes.js";
import { instant } from "../admin/instant.js";
import type { AppNames } from "../bundles/app-names.js";
import type { Answer, Route } from "../http/route.js";
import { route } from "../http/route.js";
import { policyContent } from "./policy-check.js";
import type { Published, Publisher } from "./publisher.js";
import { DIAGNOSTICS, shownVersion, VERSION } from "./shown-version.js";

const PUBLISHED = VERSION.extend({
  app_id: z.string(),
  app_name: z.string(),
  etag: z.string().nullable().describe("Of its bundle; null: another version is live already."),
  diagnostics: DIAGNOSTICS,
});

const REHEARSAL = z.object({
  valid: z.boolean(),
  app_name: z.string(),
  current_version: z.int(),
  diagnostics: DIAGNOSTICS,
  difference: z
    .looseObject({})
    .nullable()
    .describe("What would change in meaning; null where the policy cannot be used."),
});

const REVOKED = z.object({
  app_id: z.string(),
  app_name: z.string(),
  current_version: z.int(),
  revoked_at: z.string().nullable(),
});

const STATEMENT = `The policy's text to the byte, signed with a registered key (\`POST /v1/keys\`).

\`X-D2-Signature\` is the Ed25519 signature, in standard base64, over exactly the body; or, where \`X-D2-Signature-Input\` is sent, over
\`d2-publish/1\\n\` and the statement. The statement is canonical JSON (sorted keys, no white space), in the header as base64url without
padding: \`{"app", "content_sha256", "expected_version", "nonce", "time"}\` with the name of the app, the SHA-256 of the body in hex, the version
that is live (0: none), 16 to 128 random characters, and Unix time in whole seconds. It is taken once, within 300 s of its time.

The app is made if it is not there. Publishing revives a revoked app.`;

function shown({ app, version, etag, diagnostics }: Published): Answer {
  const body: z.input<typeof PUBLISHED> = {
    ...shownVersion(version),
    app_id: app.id,
    app_name: app.name,
    etag: etag ?? null,
    diagnostics: diagnostics.map((it) => ({ ...it })),
  };
  return { status: 201, headers: etag === undefined ? {} : { ETag: etag }, body };
}

/** `POST /v1/policy/publish`, `/rollback` and `/revoke`. */
export function publishRoutes(publisher: Publisher, names: AppNames): readonly Route[] {
  return [
    route({
      method: "POST",
      path: "/v1/policy/publish",
      summary: "Publishes a policy as the next version of its app",
      description: STATEMENT,
      tag: "policies",
      access: { scopes: ["policy.write"] },
      rawBody: true,
      bodyLimit: DEFAULT_MAX_BYTES,
      query: z.object({
        app_name: APP_NAME.describe("The policy's `metadata.name`."),
        dry_run: z
          .enum(["true", "false", "1", "0"])
          .default("false")
          .describe("Check and compare only; a signature may be left out."),
      }),
      headers: z.object({
        "x-d2-signature": z.string().max(256).optional(),
        "x-d2-key-id": z.string().max(64).optional().describe("`ed_` and 12 hex digits"),
        "x-d2-signature-input": z.string().max(4096).optional().describe("The signed statement."),
        "if-match": z
          .string()
          .max(1024)
          .optional()
          .describe("ETag of the bundle that is live, else 412; `*`: whichever is."),
      }),
      responses: {
        200: { description: "With `dry_run`: what would happen", schema: REHEARSAL },
        201: { description: "The new version is live", schema: PUBLISHED },
        400: { description: "`signature_missing`, `signature_malformed`, `statement_invalid`" },
        402: { description: "`tool_limit`: the plan has room for fewer tools" },
        403: {
          description:
            "`quota_apps_exceeded`, `key_unknown`, `key_revoked`, `signature_invalid`, `statement_app`, `statement_content`, `statement_stale`",
        },
        409: { description: "`statement_replayed`" },
        412: { description: "`version_conflict`: another version is live; nothing was stored" },
        422: { description: "`policy_invalid` with `diagnostics`, `name_mismatch`, `policy_not_utf8`" },
      },
      async handler({ identity, query, bytes, rawHeaders }) {
        const request = {
          identity,
          appName: query.app_name,
          content: policyContent(bytes),
          bytes,
          headers: rawHeaders,
        };
        if (query.dry_run !== "true" && query.dry_run !== "1") return shown(await publisher.publish(request));
        const { currentVersion, ...rest } = await publisher.rehearse(request);
        return { status: 200, body: { ...rest, app_name: query.app_name, current_version: currentVersion } };
      },
    }),
    route({
      method: "POST",
      path: "/v1/policy/rollback",
      summary: "Publishes the content of an older version as a new one",
      tag: "policies",
      access: { scopes: ["policy.write", "admin"] },
      query: z.object({ app_name: APP_NAME.optional() }),
      body: z.strictObject({
        version: z.int().min(1).describe("The version to go back to."),
        expected_version: z.int().min(0).optional().describe("The version that must be live."),
      }),
      responses: {
        201: { description: "The new version is live", schema: PUBLISHED },
        404: { description: "`version_not_found`, `app_not_found`" },
        412: { description: "`version_conflict`" },
        422: { description: "`policy_invalid`: it could not be published today, as when it has expired" },
      },
      async handler({ identity, query, body }) {
        const app = await names.forTools(identity, query.app_name);
        return shown(await publisher.rollBack(identity, app, body.version, body.expected_version));
      },
    }),
    route({
      method: "POST",
      path: "/v1/policy/revoke",
      summary: "Takes the policy of an app back: everything is denied until a newer version comes",
      tag: "policies",
      access: { scopes: ["policy.write", "admin"] },
      query: z.object({ app_name: APP_NAME.optional() }),
      responses: {
        200: { description: "It is revoked", schema: REVOKED },
        404: { description: "`policy_not_found`: nothing was published; `app_not_found`" },
      },
      async handler({ identity, query }) {
        const app = await publisher.revoke(identity, await names.forTools(identity, query.app_name));
        const body: z.input<typeof REVOKED> = {
          app_id: app.id,
          app_name: app.name,
          current_version: app.currentVersion,
          revoked_at: instant(app.revokedAt),
        };
        return { status: 200, body };
      },
    }),
  ];
}

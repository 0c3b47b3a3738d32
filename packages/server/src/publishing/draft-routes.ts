import { DEFAULT_MAX_BYTES } from "d2-core";
import { readPolicyText } from "d2-policy";
import { z } from "zod";
import { APP_NAME } from "../admin/app-routes.js";
import { instant } from "../admin/instant.js";
import { Problem } from "../http/problem.js";
import { type Route, route } from "../http/route.js";
import type { Draft } from "../storage/storage.js";
import type { PolicyCheck } from "./policy-check.js";
import { versionNotFound } from "./publisher.js";
import { DIAGNOSTICS } from "./shown-version.js";
import type { Format } from "./validate-policy.js";

const BODY = z.union([
  z.object({
    bundle: z.record(z.string(), z.unknown()).describe("The policy."),
    version: z.int().min(0).optional().describe("The version that it edits. Default: the one that is live."),
  }),
  z.object({
    text: z.string().describe("The policy as a text."),
    format: z.enum(["yaml", "json"]).default("yaml"),
    version: z.int().min(0).optional(),
  }),
]);

/** Beyond the policy itself. */
const ENVELOPE = 65_536;

interface DraftText {
  readonly text: string;
  readonly format: Format;
}

function textOf(body: z.output<typeof BODY>): DraftText {
  return "bundle" in body
    ? { text: JSON.stringify(body.bundle, null, 2), format: "json" }
    : { text: body.text, format: body.format };
}

/** The name that a draft is for: its own, else the one of the request. @throws Problem 422 */
function nameOf({ text, format }: DraftText, asked: string | undefined): string {
  const { tree } = readPolicyText(text, { format });
  const metadata = tree instanceof Map ? tree.get("metadata") : undefined;
  const name = APP_NAME.safeParse(metadata instanceof Map ? metadata.get("name") : undefined);
  if (name.success && (asked === undefined || asked === name.data)) return name.data;
  if (!name.success && asked !== undefined) return asked;
  throw new Problem(422, "draft_name", {
    detail: "`metadata.name` must be the name of an app, and the one of `app_name` if that is given",
  });
}

/** `PUT /v1/policy/draft`. */
export function draftRoutes(check: PolicyCheck): readonly Route[] {
  return [
    route({
      method: "PUT",
      path: "/v1/policy/draft",
      summary: "Keeps a draft, also one that is not valid",
      description: "An app has one draft; another takes its place, and publishing removes it.",
      tag: "policies",
      access: { scopes: ["policy.write"] },
      bodyLimit: DEFAULT_MAX_BYTES + ENVELOPE,
      query: z.object({
        app_name: APP_NAME.optional().describe("For drafts that do not say it in `metadata.name`."),
      }),
      body: BODY,
      responses: {
        200: {
          description: "It is kept",
          schema: z.object({
            app_id: z.string(),
            app_name: z.string(),
            version: z.int().describe("The version that it edits; 0: none."),
            valid: z.boolean().describe("Whether it could be published."),
            diagnostics: DIAGNOSTICS,
            updated_at: z.string(),
          }),
        },
        403: { description: "`quota_apps_exceeded`" },
        404: { description: "`version_not_found`: the one that it should edit" },
        422: { description: "`draft_name`" },
      },
      async handler({ services, identity, query, body, clock }) {
        const content = textOf(body);
        if (/\p{Surrogate}/u.test(content.text)) {
          throw new Problem(422, "policy_not_utf8", {
            detail: "the policy must be text that UTF-8 can hold",
          });
        }
        const name = nameOf(content, query.app_name);
        const validation = await check.diagnose(identity.accountId, content);
        const app = await services.appCreation.obtain(identity.accountId, name);
        const baseVersion = body.version ?? app.currentVersion;
        if (baseVersion > app.currentVersion) throw versionNotFound();
        const draft: Draft = {
          appId: app.id,
          ...content,
          baseVersion,
          updatedAt: clock(),
          updatedBy: identity.tokenId,
          diagnostics: JSON.stringify(validation.diagnostics),
        };
        await services.storage.saveDraft(draft);
        return {
          status: 200,
          body: {
            app_id: app.id,
            app_name: app.name,
            version: baseVersion,
            valid: validation.ok,
            diagnostics: validation.diagnostics,
            updated_at: instant(draft.updatedAt),
          },
        };
      },
    }),
  ];
}

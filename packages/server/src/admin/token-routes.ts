import { z } from "zod";
import type { Admission } from "../access/admission.js";
import { Problem } from "../http/problem.js";
import { type Route, route } from "../http/route.js";
import type { Token } from "../storage/storage.js";
import { APP_NAME } from "./app-routes.js";
import { instant } from "./instant.js";
import { createToken, SCOPES } from "./new-token.js";

const KIND = z.enum(["runtime", "developer", "admin"]);
const SCOPE = z.enum(["policy.read", "policy.write", "events.write", "metrics.read", "admin"]);

const TOKEN = z.object({
  id: z.string(),
  kind: KIND,
  scopes: z.array(SCOPE),
  app_id: z.string().nullable(),
  name: z.string(),
  created_at: z.string(),
  last_used_at: z.string().nullable().describe("Written now and then, so up to a minute late."),
  revoked_at: z.string().nullable(),
});

const NEW_TOKEN = z.strictObject({
  kind: KIND,
  name: z
    .string()
    .max(200)
    .regex(/^\P{Cc}*$/u)
    .default(""),
  app_name: APP_NAME.optional().describe("Of runtime tokens, which need it."),
  scopes: z.array(SCOPE).min(1).max(5).optional().describe("Default: what is usual for the kind."),
});

function shown(token: Token): z.input<typeof TOKEN> {
  return {
    id: token.id,
    kind: token.kind,
    scopes: [...token.scopes],
    app_id: token.appId,
    name: token.name,
    created_at: instant(token.createdAt),
    last_used_at: instant(token.lastUsedAt),
    revoked_at: instant(token.revokedAt),
  };
}

/** `GET` and `POST /v1/tokens`, `DELETE /v1/tokens/{id}`. */
export function tokenRoutes(admission: Pick<Admission, "forgetToken">): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/tokens",
      summary: "The account's tokens, without their texts",
      tag: "tokens",
      access: { scopes: ["admin"] },
      responses: { 200: { description: "All tokens", schema: z.object({ tokens: z.array(TOKEN) }) } },
      async handler({ services, identity }) {
        const tokens = await services.storage.tokens(identity.accountId);
        return { status: 200, body: { tokens: tokens.map(shown) } };
      },
    }),
    route({
      method: "POST",
      path: "/v1/tokens",
      summary: "Makes a token",
      description: "The text of the token is in this answer and nowhere else.",
      tag: "tokens",
      access: { scopes: ["admin"] },
      body: NEW_TOKEN,
      responses: {
        201: { description: "The new token", schema: TOKEN.extend({ token: z.string() }) },
        404: { description: "`app_not_found`" },
        422: { description: "`token_app`, `token_scopes`: kind, app and scopes do not go together" },
      },
      async handler({ services, identity, body }) {
        const { kind, name, app_name: appName } = body;
        const { accountId } = identity;
        if ((kind === "runtime") !== (appName !== undefined)) {
          throw new Problem(422, "token_app", {
            detail: "`app_name` belongs to runtime tokens, and to them only",
          });
        }
        const scopes = body.scopes === undefined ? undefined : [...new Set(body.scopes)];
        if (scopes?.some((scope) => !SCOPES[kind].possible.includes(scope)) === true) {
          throw new Problem(422, "token_scopes", {
            detail: `a ${kind} token can have the scopes ${SCOPES[kind].possible.join(", ")}`,
          });
        }
        const app = appName === undefined ? undefined : await services.storage.appByName(accountId, appName);
        if (appName !== undefined && app === undefined) {
          throw new Problem(404, "app_not_found", { detail: "the account has no app of this name" });
        }
        const made = await createToken(services, { accountId, kind, scopes, appId: app?.id ?? null, name });
        return { status: 201, body: { ...shown(made.token), token: made.text } };
      },
    }),
    route({
      method: "DELETE",
      path: "/v1/tokens/{id}",
      summary: "Revokes a token, at once",
      tag: "tokens",
      access: { scopes: ["admin"] },
      params: z.object({ id: z.string().regex(/^[\w-]{1,64}$/) }),
      responses: {
        204: { description: "It is revoked" },
        404: { description: "`token_not_found`: there is none, or it was revoked before" },
      },
      async handler({ services, identity, params, clock }) {
        const revoked = await services.storage.revokeToken(identity.accountId, params.id, clock());
        if (!revoked) {
          throw new Problem(404, "token_not_found", { detail: "there is no such token that is still valid" });
        }
        admission.forgetToken(params.id);
        return { status: 204 };
      },
    }),
  ];
}

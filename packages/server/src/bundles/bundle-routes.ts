import { readPolicyText } from "d2-policy";
import { z } from "zod";
import { APP_NAME } from "../admin/app-routes.js";
import { Problem } from "../http/problem.js";
import { type Answer, type Identity, type Route, route } from "../http/route.js";
import type { Services } from "../http/services.js";
import { type AppNames, appNotFound, nameRequired, refuseRuntime } from "./app-names.js";
import type { BundleCache, ServedApp } from "./bundle-cache.js";
import { matchesNone } from "./entity-tags.js";
import { treeJson } from "./policy-json.js";

const BUNDLE = z.object({
  jws: z.string().describe("Compact JWS; its payload has `metadata` and `policies`."),
  version: z.int(),
  etag: z.string(),
  metadata: z.object({ name: z.string() }),
});

const DRAFT = z.object({
  bundle: z.looseObject({}).nullable().describe("null: the draft cannot be read as a policy"),
  version: z.int().describe("The version that it edits; 0: none."),
  diagnostics: z.array(z.looseObject({})),
  text: z.string(),
  format: z.enum(["yaml", "json"]),
  updated_at: z.string(),
});

interface BundleParts {
  readonly bundles: BundleCache;
  readonly names: AppNames;
}

interface Asked {
  readonly identity: Identity;
  readonly stage: "published" | "draft" | "auto";
  readonly appName: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** `GET /v1/policy/bundle` and `GET /.well-known/jwks.json`. */
export function bundleRoutes({ bundles, names }: BundleParts): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/policy/bundle",
      summary: "The signed policy of an app, or a draft for tools",
      tag: "policies",
      access: { scopes: ["policy.read"] },
      logLevel: "debug",
      query: z.object({
        app_name: APP_NAME.optional().describe("Of tokens that are not bound to an app, which need it."),
        stage: z
          .enum(["published", "draft", "auto"])
          .default("published")
          .describe("`auto`: the draft if there is one, else what is published."),
      }),
      responses: {
        200: { description: "The bundle; for drafts another body", schema: z.union([BUNDLE, DRAFT]) },
        304: { description: "It is the one of `If-None-Match`" },
        404: { description: "`policy_not_found`, `draft_not_found`, `app_not_found`, `app_name_required`" },
        410: { description: "`policy_revoked`" },
      },
      handler({ services, identity, query, rawHeaders }): Answer | Promise<Answer> {
        const asked: Asked = {
          identity,
          stage: query.stage,
          appName: query.app_name,
          ifNoneMatch: rawHeaders["if-none-match"],
        };
        // Nearly always it is an app that has the bundle: answered at once, from memory.
        if (identity.appId !== null && asked.stage !== "draft") {
          const known = bundles.known(identity.appId);
          const answer = known === undefined ? undefined : answerOf(known, asked, services);
          if (answer !== undefined) return answer;
        }
        return answerLater(asked, services, bundles, names);
      },
    }),
    route({
      method: "GET",
      path: "/.well-known/jwks.json",
      summary: "The keys that verify bundles",
      tag: "policies",
      access: "public",
      logLevel: "debug",
      responses: {
        200: {
          description: "A JSON Web Key Set (RFC 7517)",
          schema: z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) }),
        },
      },
      handler({ services }) {
        const keys = services.signing
          .keys()
          .map(({ kid, alg, publicJwk }) => ({ ...JSON.parse(publicJwk), kid, alg, use: "sig" }));
        // Shorter than clients keep it, so that both together stay below the lead of a rotation.
        return { status: 200, headers: { "Cache-Control": "public, max-age=60" }, body: { keys } };
      },
    }),
  ];
}

async function answerLater(
  asked: Asked,
  services: Services,
  bundles: BundleCache,
  names: AppNames,
): Promise<Answer> {
  const { identity, stage, appName } = asked;
  const { accountId } = identity;
  if (stage === "draft") refuseRuntime(identity);
  if (identity.appId === null && appName === undefined) throw nameRequired();
  const appId = identity.appId ?? (await names.idOf(accountId, appName ?? ""));
  if (stage !== "published" && identity.kind !== "runtime") {
    const draft = await draftAnswer(services, appId);
    if (draft !== undefined) return draft;
    if (stage === "draft") throw new Problem(404, "draft_not_found", { detail: "the app has no draft" });
  }
  const answer = answerOf(bundles.known(appId), asked, services);
  if (answer !== undefined) return answer;
  const served = answerOf(await bundles.read(accountId, appId), asked, services);
  if (served === undefined) throw new Error("a bundle that was read has no body");
  return served;
}

/** @returns undefined when there is not enough in memory */
function answerOf(
  served: ServedApp | undefined,
  { appName, ifNoneMatch }: Asked,
  { metrics }: Services,
): Answer | undefined {
  if (served === undefined) return undefined;
  // To a token an app by another name than its own does not exist.
  if (appName !== undefined && appName !== served.appName) throw appNotFound();
  if (served.state === "published") {
    const answer = matchesNone(ifNoneMatch, served.etag) ? served.unchanged : served.whole;
    if (answer !== undefined) metrics.bundleAnswers.add(1, answer.status === 304 ? "304" : "200");
    return answer;
  }
  const { state, pollHeaders: headers } = served;
  metrics.bundleAnswers.add(1, state === "revoked" ? "410" : "404");
  throw state === "revoked"
    ? new Problem(410, "policy_revoked", { detail: "the policy was revoked: publish a new version", headers })
    : new Problem(404, "policy_not_found", { detail: "nothing was published for the app yet", headers });
}

async function draftAnswer({ storage }: Services, appId: string): Promise<Answer | undefined> {
  const draft = await storage.draft(appId);
  if (draft === undefined) return undefined;
  const { text, format } = draft;
  const { tree } = readPolicyText(text, { format });
  const rest = JSON.stringify({
    version: draft.baseVersion,
    diagnostics: JSON.parse(draft.diagnostics),
    text,
    format,
    updated_at: new Date(draft.updatedAt).toISOString(),
  });
  const bundle = tree instanceof Map ? treeJson(tree) : "null";
  return {
    status: 200,
    headers: { "Content-Type": "application/json" },
    body: `{"bundle":${bundle},${rest.slice(1)}`,
  };
}

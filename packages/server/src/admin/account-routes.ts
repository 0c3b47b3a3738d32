import { z } from "zod";
import { Problem } from "../http/problem.js";
import { type Route, route } from "../http/route.js";
import { planNamed, quotasOf } from "./plan.js";

const ME = z.object({
  account_id: z.string(),
  name: z.string(),
  plan: z.string(),
  poll_seconds: z.int(),
  quotas: z.object({ max_tools: z.int(), event_batch: z.int(), ingest_interval: z.int() }),
  event_sample: z.record(z.string(), z.number()).optional(),
  app: z.object({ id: z.string(), name: z.string() }).nullable().describe("The app of a runtime token."),
  token: z.object({ id: z.string(), kind: z.string(), scopes: z.array(z.string()) }),
});

/** `GET /v1/accounts/me`. */
export const accountRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/accounts/me",
    summary: "The account, plan and scopes of the token",
    tag: "accounts",
    access: { scopes: ["policy.read", "policy.write", "events.write", "metrics.read", "admin"] },
    responses: { 200: { description: "Who the token stands for", schema: ME } },
    async handler({ services, identity }) {
      const { storage, settings } = services;
      const { accountId, appId, tokenId, kind, scopes } = identity;
      const account = await storage.account(accountId);
      if (account === undefined) throw new Problem(404, "account_not_found");
      const app = appId === null ? undefined : await storage.app(accountId, appId);
      const plan = planNamed(settings, account.plan);
      const body: z.input<typeof ME> = {
        account_id: account.id,
        name: account.name,
        plan: account.plan,
        poll_seconds: plan.poll_seconds ?? settings.pollSeconds,
        quotas: quotasOf(plan),
        ...(plan.event_sample === undefined ? {} : { event_sample: plan.event_sample }),
        app: app === undefined ? null : { id: app.id, name: app.name },
        token: { id: tokenId, kind, scopes: [...scopes] },
      };
      return { status: 200, body };
    },
  }),
];

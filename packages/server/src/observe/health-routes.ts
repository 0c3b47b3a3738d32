import { z } from "zod";
import { Problem } from "../http/problem.js";
import { type Route, route } from "../http/route.js";
import type { Services } from "../http/services.js";

const PATIENCE = 2_000;

/** Whether the database answers in time, with the right schema. */
function databaseReady({ storage }: Services): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE);
    const settle = (ready: boolean) => {
      clearTimeout(timer);
      resolve(ready);
    };
    storage.ready().then(settle, () => settle(false));
  });
}

/** `GET /v1/healthz` (the process answers) and `GET /v1/readyz` (it can do its work). */
export const healthRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/healthz",
    summary: "Whether the process answers",
    tag: "server",
    access: "public",
    logLevel: "debug",
    responses: { 200: { description: "It does", schema: z.object({ status: z.literal("ok") }) } },
    handler: () => ({ status: 200, body: { status: "ok" } }),
  }),
  route({
    method: "GET",
    path: "/v1/readyz",
    summary: "Whether database, schema and signing key are there",
    tag: "server",
    access: "public",
    logLevel: "debug",
    responses: {
      200: {
        description: "Ready",
        schema: z.object({ status: z.literal("ready"), checks: z.record(z.string(), z.boolean()) }),
      },
      503: { description: "`not_ready`: `checks` tells what is missing" },
    },
    async handler({ services }) {
      const checks = {
        database: await databaseReady(services),
        signing_key: services.signing.ready(),
        accepting: !services.closing(),
      };
      if (Object.values(checks).includes(false)) {
        throw new Problem(503, "not_ready", { members: { checks }, headers: { "Retry-After": "1" } });
      }
      return { status: 200, body: { status: "ready", checks } };
    },
  }),
];

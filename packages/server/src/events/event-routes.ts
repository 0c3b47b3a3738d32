import { z } from "zod";
import { APP_NAME } from "../admin/app-routes.js";
import { instant } from "../admin/instant.js";
import type { AppNames } from "../bundles/app-names.js";
import { Problem } from "../http/problem.js";
import { type Route, route } from "../http/route.js";
import type { Storage, StoredEvent } from "../storage/storage.js";
import { INSTANT } from "./instant-text.js";

const DAY = 24 * 3_600_000;
const MAX_SPAN = 92 * DAY;

const EVENT = z.object({
  id: z.string(),
  app_id: z.string(),
  app_name: z.string(),
  event_type: z.string(),
  occurred_at: z.string(),
  received_at: z.string(),
  payload: z.looseObject({}),
});

const ROLLUP = z.object({
  app_id: z.string(),
  app_name: z.string(),
  hour: z.string().describe("Its beginning"),
  tool_id: z.string(),
  result: z.string(),
  reason: z.string().describe("Empty: none"),
  count: z.int(),
});

const word = z.string().max(256).optional();

async function appNames(storage: Storage, accountId: string): Promise<ReadonlyMap<string, string>> {
  const apps = await storage.apps(accountId);
  return new Map(apps.map((app) => [app.id, app.name]));
}

function shown(event: StoredEvent, names: ReadonlyMap<string, string>): z.input<typeof EVENT> {
  return {
    id: event.id,
    app_id: event.appId,
    app_name: names.get(event.appId) ?? "",
    event_type: event.type,
    occurred_at: instant(event.occurredAt),
    received_at: instant(event.receivedAt),
    payload: JSON.parse(event.payload),
  };
}

/** `GET /v1/events` and `GET /v1/events/rollups`. */
export function eventRoutes(names: AppNames): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/events",
      summary: "The account's usage events",
      tag: "events",
      access: { scopes: ["metrics.read"] },
      query: z.object({
        app_name: APP_NAME.optional(),
        from: INSTANT.optional().describe("Events that occurred from then on"),
        to: INSTANT.optional().describe("and before then"),
        type: word,
        tool: word,
        user: word,
        result: word,
        reason: word,
        order: z.enum(["newest", "oldest"]).default("newest").describe("By arrival"),
        cursor: z
          .string()
          .regex(/^\d{1,15}$/)
          .optional()
          .describe("`next_cursor` of the page before; with `oldest` also to go on later"),
        limit: z.coerce.number().int().min(1).max(1000).default(100),
      }),
      responses: {
        200: {
          description: "A page",
          schema: z.object({
            events: z.array(EVENT),
            next_cursor: z.string().nullable().describe("null: there are no more"),
          }),
        },
        404: { description: "`app_not_found`" },
      },
      async handler({ services, identity, query }) {
        const { storage } = services;
        const { accountId } = identity;
        const { app_name: appName, cursor, ...filters } = query;
        const appId = appName === undefined ? undefined : await names.idOf(accountId, appName);
        const events = await storage.events({ ...filters, accountId, appId, after: cursor });
        const last = events.at(-1)?.id;
        const full = events.length === query.limit;
        const next = query.order === "oldest" ? (last ?? cursor) : full ? last : undefined;
        const known = await appNames(storage, accountId);
        return {
          status: 200,
          body: { events: events.map((event) => shown(event, known)), next_cursor: next ?? null },
        };
      },
    }),
    route({
      method: "GET",
      path: "/v1/events/rollups",
      summary: "How often what happened, by hour",
      description: "Only events with a result are counted. Counts stay when events are removed.",
      tag: "events",
      access: { scopes: ["metrics.read"] },
      query: z.object({
        app_name: APP_NAME.optional(),
        from: INSTANT.optional().describe("Default: a day before `to`"),
        to: INSTANT.optional().describe("Default: now"),
      }),
      responses: {
        200: {
          description: "By hour, app, tool, result and reason",
          schema: z.object({ rollups: z.array(ROLLUP) }),
        },
        404: { description: "`app_not_found`" },
      },
      async handler({ services, identity, query, clock }) {
        const { storage } = services;
        const { accountId } = identity;
        const to = query.to ?? clock();
        const from = query.from ?? to - DAY;
        if (to - from > MAX_SPAN) {
          throw new Problem(400, "span_too_long", { detail: "ask for at most 92 days at a time" });
        }
        const appId = query.app_name === undefined ? undefined : await names.idOf(accountId, query.app_name);
        const rollups = await storage.rollups({ accountId, appId, from, to });
        const known = await appNames(storage, accountId);
        const body = rollups.map(
          (rollup): z.input<typeof ROLLUP> => ({
            app_id: rollup.appId,
            app_name: known.get(rollup.appId) ?? "",
            hour: instant(rollup.hour),
            tool_id: rollup.tool,
            result: rollup.result,
            reason: rollup.reason,
            count: rollup.count,
          }),
        );
        return { status: 200, body: { rollups: body } };
      },
    }),
  ];
}

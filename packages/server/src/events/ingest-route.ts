import { z } from "zod";
import type { AccountPlans } from "../admin/account-plans.js";
import { Problem } from "../http/problem.js";
import { type Route, route } from "../http/route.js";
import type { IngestQueue } from "./ingest-queue.js";
import { storedForm, USAGE_EVENT } from "./usage-event.js";

const MAX_EVENTS = 1_000;
const MAX_BYTES = 1_048_576;

/** `POST /v1/events/ingest`. */
export function ingestRoute(queue: IngestQueue, plans: AccountPlans): Route {
  return route({
    method: "POST",
    path: "/v1/events/ingest",
    summary: "Takes a batch of usage events",
    description:
      "Answered once the batch is on disk. A batch that is sent again with its id is not stored again; without `batch_id` the id is `X-Request-Id`. At most 1,000 events and 1 MiB.",
    tag: "events",
    access: { scopes: ["events.write"] },
    bodyLimit: MAX_BYTES,
    logLevel: "debug",
    body: z.object({
      batch_id: z
        .string()
        .regex(/^[\w.:-]{1,128}$/)
        .optional(),
      events: z.array(USAGE_EVENT),
    }),
    responses: {
      202: {
        description: "It is on disk; `duplicate`: it was before",
        schema: z.object({ accepted: z.int(), duplicate: z.boolean() }),
      },
      413: { description: "`batch_too_large`, `body_too_large`: send it in two halves" },
      429: { description: "`ingest_overloaded`: send it again after `Retry-After`" },
    },
    async handler({ identity, body, requestId }) {
      const { accountId, appId } = identity;
      if (appId === null) {
        throw new Problem(403, "token_kind", { detail: "events are sent with the runtime token of an app" });
      }
      const { event_batch: most = MAX_EVENTS } = await plans.of(accountId);
      if (body.events.length > most) {
        throw new Problem(413, "batch_too_large", { detail: `a batch may have at most ${most} events` });
      }
      const events = body.events.map(storedForm);
      const outcome = await queue.add({ accountId, appId, batchId: body.batch_id ?? requestId, events });
      return { status: 202, body: outcome };
    },
  });
}

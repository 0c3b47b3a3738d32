import { setImmediate } from "node:timers/promises";
import type { Kysely, Selectable } from "kysely";
import { findableText } from "./column-text.js";
import type { Database } from "./database.js";
import { hourOf, ingestBatches } from "./ingest.js";
import type { EventQuery, Storage, StoredEvent } from "./storage.js";
import { StorageError } from "./storage-error.js";
import type { Tables } from "./tables.js";

/** Events that SQLite reads at once: some ten milliseconds. */
const SCANNED = 10_000;

function eventOf(row: Selectable<Tables["events"]>): StoredEvent {
  return {
    id: String(row.id),
    appId: row.app_id,
    type: row.type,
    occurredAt: row.occurred_at,
    receivedAt: row.received_at,
    tool: row.tool,
    user: row.user_id,
    result: row.result,
    reason: row.reason,
    payload: row.payload,
  };
}

function idOf(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new StorageError("invalid", "`after` is not the id of an event: give one as it was told");
  return Number(text);
}

/** @param ids only these, first and last included */
async function eventsWhere(
  db: Kysely<Tables>,
  query: EventQuery,
  ids?: readonly [first: number, last: number],
): Promise<StoredEvent[]> {
  const newest = query.order === "newest";
  let rows = db.selectFrom("events").selectAll().where("account_id", "=", query.accountId);
  if (query.appId !== undefined) rows = rows.where("app_id", "=", query.appId);
  if (query.from !== undefined) rows = rows.where("occurred_at", ">=", query.from);
  if (query.to !== undefined) rows = rows.where("occurred_at", "<", query.to);
  if (query.type !== undefined) rows = rows.where("type", "=", findableText(query.type));
  if (query.tool !== undefined) rows = rows.where("tool", "=", findableText(query.tool));
  if (query.user !== undefined) rows = rows.where("user_id", "=", findableText(query.user));
  if (query.result !== undefined) rows = rows.where("result", "=", findableText(query.result));
  if (query.reason !== undefined) rows = rows.where("reason", "=", findableText(query.reason));
  if (query.after !== undefined) rows = rows.where("id", newest ? "<" : ">", idOf(query.after));
  if (ids !== undefined) rows = rows.where("id", ">=", ids[0]).where("id", "<=", ids[1]);
  const found = await rows
    .orderBy("id", newest ? "desc" : "asc")
    .limit(query.limit)
    .execute();
  return found.map(eventOf);
}

/**
 * SQLite looks in this thread. A filter that few events pass would make it read all of them at once; so it reads some, and
 * lets others in between.
 */
async function eventsInPieces(db: Kysely<Tables>, query: EventQuery): Promise<StoredEvent[]> {
  const newest = query.order === "newest";
  const end = (order: "asc" | "desc") =>
    db
      .selectFrom("events")
      .select("id")
      .where("account_id", "=", query.accountId)
      .orderBy("id", order)
      .limit(1)
      .executeTakeFirst();
  let low = (await end("asc"))?.id ?? 1;
  let high = (await end("desc"))?.id ?? 0;
  if (query.after !== undefined) {
    if (newest) high = Math.min(high, idOf(query.after) - 1);
    else low = Math.max(low, idOf(query.after) + 1);
  }
  const found: StoredEvent[] = [];
  while (low <= high && found.length < query.limit) {
    const piece: [number, number] = newest
      ? [Math.max(low, high - SCANNED + 1), high]
      : [low, Math.min(high, low + SCANNED - 1)];
    found.push(...(await eventsWhere(db, { ...query, limit: query.limit - found.length }, piece)));
    if (newest) high = piece[0] - 1;
    else low = piece[1] + 1;
    await setImmediate();
  }
  return found;
}

export function eventsIn(database: Database): Pick<Storage, "ingest" | "ingestMany" | "events" | "rollups"> {
  const { db, kind } = database;
  return {
    async ingest(accountId, appId, batchId, events, receivedAt) {
      const [outcome] = await ingestBatches(database, [{ accountId, appId, batchId, events }], receivedAt);
      return outcome ?? { accepted: events.length, duplicate: false };
    },

    ingestMany: (batches, receivedAt) => ingestBatches(database, batches, receivedAt),

    events: (query) => (kind === "sqlite" ? eventsInPieces(db, query) : eventsWhere(db, query)),

    async rollups({ accountId, appId, from, to }) {
      let rows = db
        .selectFrom("rollups")
        .selectAll()
        .where("account_id", "=", accountId)
        .where("hour", ">=", hourOf(from))
        .where("hour", "<", to);
      if (appId !== undefined) rows = rows.where("app_id", "=", appId);
      const found = await rows
        .orderBy("hour")
        .orderBy("app_id")
        .orderBy("tool")
        .orderBy("result")
        .orderBy("reason")
        .execute();
      return found.map((row) => ({
        appId: row.app_id,
        hour: row.hour,
        tool: row.tool,
        result: row.result,
        reason: row.reason,
        count: row.count,
      }));
    },
  };
}

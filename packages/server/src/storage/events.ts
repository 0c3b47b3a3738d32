import { setImmediate } from "node:timers/promises";
import { type Kysely, type Selectable, sql } from "kysely";
import { findableText } from "./column-text.js";
import { type Database, rowsTable, write } from "./database.js";
import type { EventQuery, NewEvent, Storage, StoredEvent } from "./storage.js";
import { StorageError } from "./storage-error.js";
import type { Tables } from "./tables.js";

const HOUR = 3_600_000;

/** Events that SQLite reads at once: some ten milliseconds. */
const SCANNED = 10_000;

const EVENT_COLUMNS = [
  ["type", "text"],
  ["occurred_at", "bigint"],
  ["tool", "text"],
  ["user_id", "text"],
  ["result", "text"],
  ["reason", "text"],
  ["payload", "text"],
] as const;

const ROLLUP_COLUMNS = [
  ["hour", "bigint"],
  ["tool", "text"],
  ["result", "text"],
  ["reason", "text"],
  ["count", "bigint"],
] as const;

function eventRow(event: NewEvent): (string | number | null)[] {
  return [
    findableText(event.type),
    event.occurredAt,
    findableText(event.tool),
    findableText(event.user),
    findableText(event.result),
    findableText(event.reason),
    event.payload,
  ];
}

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

const hourOf = (instant: number) => Math.floor(instant / HOUR) * HOUR;

/** How often each thing happened in each hour, of the events that have a result. */
function counted(events: readonly NewEvent[]): (string | number)[][] {
  const counts = new Map<string, [string | number, string, string, string, number]>();
  for (const { occurredAt, tool, result, reason } of events) {
    if (result === null) continue;
    const hour = hourOf(occurredAt);
    const words = [tool ?? "", result, reason ?? ""].map((word) => findableText(word)) as [
      string,
      string,
      string,
    ];
    const key = JSON.stringify([hour, ...words]);
    const known = counts.get(key);
    if (known === undefined) counts.set(key, [hour, ...words, 1]);
    else known[4]++;
  }
  return [...counts.values()];
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

export function eventsIn(database: Database): Pick<Storage, "ingest" | "events" | "rollups"> {
  const { db, kind } = database;
  return {
    ingest(accountId, appId, batchId, events, receivedAt) {
      const accepted = events.length;
      // Made before the transaction, for while it holds its lock the account's other batches wait.
      const rows = rowsTable(kind, events.map(eventRow), EVENT_COLUMNS);
      const counts = counted(events);
      const countRows = rowsTable(kind, counts, ROLLUP_COLUMNS);
      return write(database, async (trx) => {
        // On PostgreSQL a second transaction with the batch waits here until the first has ended.
        const taken = await trx
          .insertInto("batches")
          .values({
            account_id: accountId,
            app_id: appId,
            batch_id: batchId,
            accepted,
            received_at: receivedAt,
          })
          .onConflict((conflict) => conflict.doNothing())
          .returning("accepted")
          .executeTakeFirst();
        if (taken === undefined) {
          const first = await trx
            .selectFrom("batches")
            .select("accepted")
            .where("account_id", "=", accountId)
            .where("app_id", "=", appId)
            .where("batch_id", "=", batchId)
            .executeTakeFirst();
          return { accepted: first?.accepted ?? accepted, duplicate: true };
        }
        // INVARIANT: ids of an account ascend in the order of commits, as its counter's row stays locked until then. So who
        // reads on from the highest id that it saw misses nothing.
        const counter = await trx
          .updateTable("event_counters")
          .set(({ eb }) => ({ latest: eb("latest", "+", accepted) }))
          .where("account_id", "=", accountId)
          .returning("latest")
          .executeTakeFirst();
        if (counter === undefined) {
          throw new StorageError("unknown_account", "there is no account with the given `accountId`");
        }
        if (accepted === 0) return { accepted, duplicate: false };

        await sql`insert into events
            (account_id, app_id, received_at, id, type, occurred_at, tool, user_id, result, reason, payload)
          select cast(${accountId} as text), cast(${appId} as text), cast(${receivedAt} as bigint),
            cast(${counter.latest - accepted + 1} as bigint) + given.position,
            type, occurred_at, tool, user_id, result, reason, payload
          from ${rows}`.execute(trx);
        if (counts.length > 0) {
          await sql`insert into rollups (account_id, app_id, hour, tool, result, reason, count)
            select cast(${accountId} as text), cast(${appId} as text), hour, tool, result, reason, count
            from ${countRows} where true
            on conflict (account_id, hour, app_id, tool, result, reason)
            do update set count = rollups.count + excluded.count`.execute(trx);
        }
        return { accepted, duplicate: false };
      });
    },

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

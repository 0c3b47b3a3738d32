import { sql, type Transaction } from "kysely";
import { columnText, findableText } from "./column-text.js";
import { type Database, type DatabaseKind, rowsTable, write } from "./database.js";
import type { IngestOutcome, NewBatch, NewEvent } from "./storage.js";
import { StorageError } from "./storage-error.js";
import type { Tables } from "./tables.js";

const HOUR = 3_600_000;

/** Beginning of the hour that an instant is in. */
export const hourOf = (instant: number): number => Math.floor(instant / HOUR) * HOUR;

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

/** How often each thing was decided in each hour: events that have a result. */
function counted(events: readonly NewEvent[]): (string | number)[][] {
  const counts = new Map<string, [string | number, string, string, string, number]>();
  for (const { type, occurredAt, tool, result, reason } of events) {
    // How long a guardrail took is told of a call that is counted by its decision.
    if (result === null || type === "guardrail_overhead") continue;
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

/** What of a batch's rows is ready before the transaction, for while it holds its locks the account's other batches wait. */
interface AppRows {
  readonly accountId: string;
  readonly appId: string;
  readonly size: number;
  readonly events: ReturnType<typeof rowsTable>;
  /** undefined: no event has a result. */
  readonly counts: ReturnType<typeof rowsTable> | undefined;
}

/** As the database has the ids, so that what it gives back finds its batch. */
const keyOf = ({ accountId, appId, batchId }: Omit<NewBatch, "events">) =>
  JSON.stringify([accountId, appId, batchId].map(columnText));

/** @returns the events of each app together, by account and app */
function rowsOf(kind: DatabaseKind, batches: readonly NewBatch[]): readonly AppRows[] {
  const apps = new Map<string, NewBatch[]>();
  for (const batch of batches) {
    const key = JSON.stringify([batch.accountId, batch.appId]);
    const list = apps.get(key);
    if (list === undefined) apps.set(key, [batch]);
    else list.push(batch);
  }
  return [...apps.values()].flatMap((list) => {
    const [first] = list;
    const events = list.flatMap((batch) => batch.events);
    if (first === undefined || events.length === 0) return [];
    const counts = counted(events);
    return {
      accountId: first.accountId,
      appId: first.appId,
      size: events.length,
      events: rowsTable(kind, events.map(eventRow), EVENT_COLUMNS),
      counts: counts.length === 0 ? undefined : rowsTable(kind, counts, ROLLUP_COLUMNS),
    };
  });
}

/**
 * Stores batches in one transaction, all or none.
 *
 * INVARIANT: of transactions at once none waits for one that waits for it: each takes its batches' ids first and then the
 * accounts' counters, both in one order.
 *
 * @returns outcomes in the order of the batches
 */
export async function ingestBatches(
  database: Database,
  batches: readonly NewBatch[],
  receivedAt: number,
): Promise<IngestOutcome[]> {
  const { kind } = database;
  const byKey = new Map<string, NewBatch>();
  for (const batch of batches) {
    const key = keyOf(batch);
    if (!byKey.has(key)) byKey.set(key, batch);
  }
  const keys = [...byKey.keys()].sort();
  const different = keys.flatMap((key) => byKey.get(key) ?? []);
  if (different.length === 0) return [];
  const all = rowsOf(kind, different);
  const outcomes = await write(database, async (trx) => {
    const taken = await takeIds(trx, different, receivedAt);
    const fresh =
      taken.size === different.length
        ? all
        : rowsOf(
            kind,
            different.filter((it) => taken.has(it)),
          );
    await insertEvents(trx, fresh, receivedAt);
    const known = new Map<NewBatch, IngestOutcome>();
    for (const batch of different) {
      known.set(
        batch,
        taken.has(batch)
          ? { accepted: batch.events.length, duplicate: false }
          : { accepted: await acceptedBefore(trx, batch), duplicate: true },
      );
    }
    return known;
  });
  return batches.map((batch) => {
    const first = byKey.get(keyOf(batch)) ?? batch;
    const outcome = outcomes.get(first) ?? { accepted: batch.events.length, duplicate: false };
    return first === batch ? outcome : { ...outcome, duplicate: true };
  });
}

/** On PostgreSQL a second transaction with one of the batches waits here until the first has ended. */
async function takeIds(
  trx: Transaction<Tables>,
  batches: readonly NewBatch[],
  receivedAt: number,
): Promise<ReadonlySet<NewBatch>> {
  const rows = await trx
    .insertInto("batches")
    .values(
      batches.map(({ accountId, appId, batchId, events }) => ({
        account_id: accountId,
        app_id: appId,
        batch_id: batchId,
        accepted: events.length,
        received_at: receivedAt,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning(["account_id", "app_id", "batch_id"])
    .execute();
  const taken = new Set(
    rows.map((row) => keyOf({ accountId: row.account_id, appId: row.app_id, batchId: row.batch_id })),
  );
  return new Set(batches.filter((batch) => taken.has(keyOf(batch))));
}

async function acceptedBefore(trx: Transaction<Tables>, batch: NewBatch): Promise<number> {
  const first = await trx
    .selectFrom("batches")
    .select("accepted")
    .where("account_id", "=", batch.accountId)
    .where("app_id", "=", batch.appId)
    .where("batch_id", "=", batch.batchId)
    .executeTakeFirst();
  return first?.accepted ?? batch.events.length;
}

async function insertEvents(
  trx: Transaction<Tables>,
  apps: readonly AppRows[],
  receivedAt: number,
): Promise<void> {
  const sizes = new Map<string, number>();
  for (const { accountId, size } of apps) sizes.set(accountId, (sizes.get(accountId) ?? 0) + size);
  const next = new Map<string, number>();
  for (const [accountId, size] of sizes) next.set(accountId, await takeNumbers(trx, accountId, size));
  for (const { accountId, appId, size, events, counts } of apps) {
    const first = next.get(accountId) ?? 0;
    next.set(accountId, first + size);
    await sql`insert into events
        (account_id, app_id, received_at, id, type, occurred_at, tool, user_id, result, reason, payload)
      select cast(${accountId} as text), cast(${appId} as text), cast(${receivedAt} as bigint),
        cast(${first} as bigint) + given.position,
        type, occurred_at, tool, user_id, result, reason, payload
      from ${events}`.execute(trx);
    if (counts === undefined) continue;
    await sql`insert into rollups (account_id, app_id, hour, tool, result, reason, count)
      select cast(${accountId} as text), cast(${appId} as text), hour, tool, result, reason, count
      from ${counts} where true
      on conflict (account_id, hour, app_id, tool, result, reason)
      do update set count = rollups.count + excluded.count`.execute(trx);
  }
}

/**
 * INVARIANT: ids of an account ascend in the order of commits, as its counter's row stays locked until then. So who reads
 * on from the highest id that it saw misses nothing.
 *
 * @returns the first of that many ids
 */
async function takeNumbers(trx: Transaction<Tables>, accountId: string, size: number): Promise<number> {
  const counter = await trx
    .updateTable("event_counters")
    .set(({ eb }) => ({ latest: eb("latest", "+", size) }))
    .where("account_id", "=", accountId)
    .returning("latest")
    .executeTakeFirst();
  if (counter === undefined) {
    throw new StorageError("unknown_account", "there is no account with the given `accountId`");
  }
  return counter.latest - size + 1;
}

import { sql, type Transaction } from "kysely";
import type { Change, Storage } from "./storage.js";
import type { Tables } from "./tables.js";

/** Channel on which PostgreSQL tells that there are changes; what they are stands in the table. */
export const CHANGE_CHANNEL = "d2_changes";

/** Changes are numbered in the order of commits: the caller holds the lock `change`. */
export async function recordChanges(
  kind: Storage["database"],
  trx: Transaction<Tables>,
  changes: readonly Change[],
  at: number,
): Promise<void> {
  const latest = await latestChange(trx);
  const rows = changes.map((change, index) => ({
    seq: latest + index + 1,
    kind: change.kind,
    id: change.id,
    changed_at: at,
  }));
  await trx.insertInto("changes").values(rows).execute();
  if (kind === "postgres") await sql`select pg_notify(${CHANGE_CHANNEL}, '')`.execute(trx);
}

/** Number of the latest change; 0: there is none. */
export async function latestChange(db: Pick<Transaction<Tables>, "selectFrom">): Promise<number> {
  const row = await db.selectFrom("changes").select("seq").orderBy("seq", "desc").limit(1).executeTakeFirst();
  return row?.seq ?? 0;
}

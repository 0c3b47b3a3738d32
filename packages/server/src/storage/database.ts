import { type Kysely, type RawBuilder, sql, type Transaction } from "kysely";
import { recordChanges } from "./change-record.js";
import { columnValue } from "./column-text.js";
import type { Change, Storage } from "./storage.js";
import type { Tables } from "./tables.js";

export type DatabaseKind = Storage["database"];

/** Where lines about the database's health go; pino fits. Lines hold no stored values. */
export interface StorageLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** One of the two databases, and how to write to it. */
export interface Database {
  readonly kind: DatabaseKind;
  readonly db: Kysely<Tables>;
  readonly clock: () => number;
  readonly logger: StorageLogger | undefined;
  /** Called after a transaction that told of changes was committed. */
  onChange: () => void;
}

const LOCKS = { migrate: 0x64320001, change: 0x64320002, signingKeys: 0x64320003 } as const;

/**
 * Waits until no other transaction holds the named lock, and holds it to the end of this one. On SQLite every transaction
 * of ours holds the write lock from its beginning, so there is nothing to do.
 */
export async function lock(
  kind: DatabaseKind,
  trx: Transaction<Tables>,
  name: keyof typeof LOCKS,
): Promise<void> {
  if (kind === "postgres") await sql`select pg_advisory_xact_lock(${sql.lit(LOCKS[name])})`.execute(trx);
}

/**
 * Runs in one transaction; what it throws undoes all of it. Changes that are added to the list are recorded as its very
 * last step, under a lock that keeps their numbers in the order of commits: after it no other lock is asked for.
 */
export async function write<T>(
  database: Database,
  run: (trx: Transaction<Tables>, changes: Change[]) => Promise<T>,
): Promise<T> {
  const changes: Change[] = [];
  const result = await database.db.transaction().execute(async (trx) => {
    const value = await run(trx, changes);
    if (changes.length > 0) {
      await lock(database.kind, trx, "change");
      await recordChanges(database.kind, trx, changes, database.clock());
    }
    return value;
  });
  if (changes.length > 0) database.onChange();
  return result;
}

/**
 * Rows as a table `given` to select from, with their `position` from 0. All are in one parameter: one for each value would be
 * slow on both databases, and more than SQLite takes. The names and types of the columns are ours, never a caller's.
 */
export function rowsTable(
  kind: DatabaseKind,
  rows: readonly (readonly (string | number | null)[])[],
  columns: readonly (readonly [name: string, type: "text" | "bigint"])[],
): RawBuilder<unknown> {
  const json = JSON.stringify(rows.map((row) => row.map(columnValue)));
  const fields = columns.map(([name, type], index) =>
    kind === "postgres"
      ? sql`(value ->> ${sql.lit(index)})::${sql.raw(type)} as ${sql.id(name)}`
      : sql`value ->> ${sql.lit(index)} as ${sql.id(name)}`,
  );
  const source =
    kind === "postgres"
      ? sql`ordinality - 1 as position from jsonb_array_elements(${json}::jsonb) with ordinality`
      : sql`key as position from json_each(${json})`;
  return sql`(select ${sql.join(fields)}, ${source}) as given`;
}

import { sql, type Transaction } from "kysely";
import { type Database, type DatabaseKind, lock, write } from "./database.js";
import type { ColumnWords } from "./migrations/migration.js";
import { migrations, programSchema } from "./migrations/migrations.js";
import { StorageError } from "./storage-error.js";
import type { Tables } from "./tables.js";

const WORDS: Readonly<Record<DatabaseKind, ColumnWords>> = Object.freeze({
  sqlite: { text: "text", integer: "integer", bytes: "blob", clustered: " without rowid" },
  postgres: { text: 'text collate "C"', integer: "bigint", bytes: "bytea", clustered: "" },
});

export interface MigrateOutcome {
  /** Schema before; 0: the database was empty. */
  readonly from: number;
  readonly to: number;
  /** Names of the steps that were taken now, by this call. */
  readonly applied: readonly string[];
}

/** Schema of the database; 0: it has none. */
export async function readSchema({ kind, db }: Pick<Database, "kind" | "db">): Promise<number> {
  const tables =
    kind === "postgres"
      ? sql`select 1 from information_schema.tables
          where table_schema = current_schema() and table_name = 'schema_versions'`
      : sql`select 1 from sqlite_schema where type = 'table' and name = 'schema_versions'`;
  if ((await tables.execute(db)).rows.length === 0) return 0;
  const row = await db
    .selectFrom("schema_versions")
    .select("version")
    .orderBy("version", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.version ?? 0;
}

/** @throws StorageError `schema_older`, `schema_newer` */
export function assertProgramSchema(schema: number): void {
  refuseNewer(schema);
  if (schema < programSchema) {
    throw new StorageError(
      "schema_older",
      `the database has schema ${schema}, and this program needs ${programSchema}: run \`d2-server migrate\``,
    );
  }
}

function refuseNewer(schema: number): void {
  if (schema > programSchema) {
    throw new StorageError(
      "schema_newer",
      `the database has schema ${schema}, and this program knows up to ${programSchema}: use a newer \`d2-server\``,
    );
  }
}

/**
 * Brings the schema forward, each step in a transaction of its own. Of several that start at once one takes a step, and the
 * others find it taken.
 *
 * @param to stop at this schema; default: the newest
 * @throws StorageError `schema_newer`
 */
export async function migrateDatabase(
  database: Database,
  to: number = programSchema,
): Promise<MigrateOutcome> {
  const applied: string[] = [];
  let from: number | undefined;
  for (;;) {
    const { schema, taken } = await write(database, (trx) => nextStep(database, trx, to));
    from ??= schema;
    if (taken === undefined) return { from, to: schema, applied };
    applied.push(taken);
  }
}

/** @returns the schema before, and the name of the step that was taken, if one was left */
async function nextStep(
  { kind, clock }: Database,
  trx: Transaction<Tables>,
  to: number,
): Promise<{ schema: number; taken: string | undefined }> {
  // A large table takes its time to be indexed, and others wait for it.
  if (kind === "postgres") await sql`set local statement_timeout = 0`.execute(trx);
  await lock(kind, trx, "migrate");
  const schema = await readSchema({ kind, db: trx });
  refuseNewer(schema);
  const next = schema < to ? migrations[schema] : undefined;
  if (next === undefined) return { schema, taken: undefined };
  const words = WORDS[kind];
  for (const statement of [schemaTable(words), ...next.statements(words)])
    await sql.raw(statement).execute(trx);
  await trx
    .insertInto("schema_versions")
    .values({ version: next.version, name: next.name, applied_at: clock() })
    .execute();
  return { schema, taken: next.name };
}

function schemaTable({ text, integer }: ColumnWords): string {
  return `create table if not exists schema_versions (
    version ${integer} not null primary key,
    name ${text} not null,
    applied_at ${integer} not null
  )`;
}

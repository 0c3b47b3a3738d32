import { Kysely } from "kysely";
import { accountsIn } from "./accounts.js";
import { ChangeFeed } from "./change-feed.js";
import { latestChange } from "./change-record.js";
import type { Database, StorageLogger } from "./database.js";
import { eventsIn } from "./events.js";
import { assertProgramSchema, type MigrateOutcome, migrateDatabase, readSchema } from "./migrate.js";
import { programSchema } from "./migrations/migrations.js";
import { policiesIn } from "./policies.js";
import { PostgresDialect } from "./postgres-dialect.js";
import { retentionIn } from "./retention.js";
import { signingKeysIn } from "./signing-keys.js";
import { SqliteDialect } from "./sqlite-dialect.js";
import type { Storage } from "./storage.js";
import { StorageError } from "./storage-error.js";
import type { Tables } from "./tables.js";
import { tokensIn } from "./tokens.js";
import { uploaderKeysIn } from "./uploader-keys.js";

export interface DatabaseOptions {
  /** `postgres://…`; undefined: SQLite. */
  readonly url: string | undefined;
  /** SQLite's file; made, with its folder, when it is not there. `:memory:` forgets everything at the end. */
  readonly file: string;
  /** Milliseconds since 1970-01-01T00:00:00Z; default: the system's. */
  readonly clock?: (() => number) | undefined;
  readonly logger?: StorageLogger | undefined;
  /** Connections to PostgreSQL at most, without the one that listens. Default: 10. */
  readonly poolSize?: number | undefined;
}

export interface OpenOptions extends DatabaseOptions {
  /** Bring the schema forward first. Default: no; an older schema is refused. */
  readonly migrate?: boolean | undefined;
  /** How often to look for changes without having been told, in milliseconds. Default: 1,000. */
  readonly pollInterval?: number | undefined;
}

function connect({ url, file, clock = Date.now, logger, poolSize = 10 }: DatabaseOptions): Database {
  if (url !== undefined && !/^postgres(ql)?:\/\//.test(url)) {
    throw new StorageError(
      "unreachable",
      "the database's address must begin with `postgres://`; leave it out for SQLite",
    );
  }
  const dialect =
    url === undefined ? new SqliteDialect(file) : new PostgresDialect({ url, poolSize, logger });
  return {
    kind: url === undefined ? "sqlite" : "postgres",
    db: new Kysely<Tables>({ dialect }),
    clock,
    logger,
    onChange: () => undefined,
  };
}

async function using<T>(options: DatabaseOptions, run: (database: Database) => Promise<T>): Promise<T> {
  const database = connect(options);
  try {
    return await run(database);
  } finally {
    await database.db.destroy();
  }
}

/**
 * Brings the database's schema forward to the one of this program. Several at once do it once.
 *
 * @param to stop at that schema; for tests of upgrades
 * @throws StorageError `schema_newer`, `unreachable`, `failed`
 */
export function migrate(options: DatabaseOptions, to?: number): Promise<MigrateOutcome> {
  return using(options, (database) => migrateDatabase(database, to));
}

/** Schema of the database, as far as it was migrated; 0: it is empty. `programSchema` is the one that it should have. */
export function schemaVersion(options: DatabaseOptions): Promise<number> {
  return using(options, readSchema);
}

/**
 * Opens the database that `options` names.
 *
 * @throws StorageError `schema_older` (see `migrate`), `schema_newer`, `unreachable`
 */
export async function openStorage(options: OpenOptions): Promise<Storage> {
  const database = connect(options);
  try {
    if (options.migrate === true) await migrateDatabase(database);
    assertProgramSchema(await readSchema(database));
    const feed = new ChangeFeed({
      database,
      latest: await latestChange(database.db),
      pollInterval: options.pollInterval ?? 1000,
      url: options.url,
    });
    database.onChange = () => feed.ring();
    return storageOf(database, feed);
  } catch (error) {
    await database.db.destroy();
    throw error;
  }
}

function storageOf(database: Database, feed: ChangeFeed): Storage {
  let closing: Promise<void> | undefined;
  return {
    database: database.kind,
    async ready() {
      try {
        return (await readSchema(database)) === programSchema;
      } catch {
        return false;
      }
    },
    close() {
      closing ??= feed.close().then(() => database.db.destroy());
      return closing;
    },
    ...accountsIn(database),
    ...tokensIn(database),
    ...uploaderKeysIn(database),
    ...signingKeysIn(database),
    ...policiesIn(database),
    ...eventsIn(database),
    ...retentionIn(database),
    watch: (listener) => feed.watch(listener),
  };
}

import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import SqliteFile from "libsql";
import { columnValue } from "./column-text.js";
import { connectionError, StorageError, statementError } from "./storage-error.js";

/** How long a statement waits for another process's write, in milliseconds. */
const BUSY_TIMEOUT = 5000;

/** Prepared statements that are kept; our code has fewer. */
const PREPARED = 200;

const SETTINGS = [
  "journal_mode = wal",
  // A commit is on disk when it returns, not merely with the system.
  "synchronous = full",
  "foreign_keys = on",
  `busy_timeout = ${BUSY_TIMEOUT}`,
  "trusted_schema = off",
];

/**
 * Opens the file, and makes it if it is not there, with its folder: both are for their owner only, as the file holds keys.
 *
 * @throws StorageError `unreachable`
 */
function openFile(file: string): SqliteFile.Database {
  // An absolute path, so that no name is taken for an address of a remote database.
  const path = file === ":memory:" ? file : resolve(file);
  try {
    if (path !== ":memory:") {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      closeSync(openSync(path, "a", 0o600));
    }
    const database = new SqliteFile(path);
    for (const setting of SETTINGS) database.pragma(setting);
    return database;
  } catch (error) {
    throw connectionError(error);
  }
}

/** SQLite in this process: one connection, used by one caller at a time. */
export class SqliteDialect implements Dialect {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  createDriver(): Driver {
    return new SqliteDriver(this.#file);
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): SqliteAdapter {
    return new SqliteAdapter();
  }

  createIntrospector(...args: ConstructorParameters<typeof SqliteIntrospector>): SqliteIntrospector {
    return new SqliteIntrospector(...args);
  }
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection;
  /** Settles when the caller before is done. */
  #turn: Promise<void> = Promise.resolve();
  #pass: () => void = () => undefined;

  constructor(file: string) {
    this.#connection = new SqliteConnection(openFile(file));
  }

  async init(): Promise<void> {
    // Nothing is to be done before the first connection.
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#turn;
    let pass: () => void = () => undefined;
    this.#turn = new Promise((done) => {
      pass = done;
    });
    await before;
    this.#pass = pass;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#pass();
  }

  async beginTransaction(): Promise<void> {
    // Statements run in this thread, and waiting writers would follow each other without a pause: here the rest of the
    // process gets its turn.
    await setImmediate();
    this.#connection.run("begin immediate");
  }

  async commitTransaction(): Promise<void> {
    this.#connection.run("commit");
  }

  async rollbackTransaction(): Promise<void> {
    if (this.#connection.inTransaction) this.#connection.run("rollback");
  }

  async destroy(): Promise<void> {
    await this.acquireConnection();
    this.#connection.close();
    this.#pass();
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: SqliteFile.Database;
  readonly #prepared = new Map<string, SqliteFile.Statement>();
  #closed = false;

  constructor(database: SqliteFile.Database) {
    this.#database = database;
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction;
  }

  run(statement: string): void {
    try {
      this.#statement(statement).run();
    } catch (error) {
      throw statementError(error);
    }
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const statement = this.#statement(sql);
      const values = parameters.map(columnValue);
      if (!statement.reader) {
        return { rows: [], numAffectedRows: BigInt(statement.run(values).changes) };
      }
      // What a row is made of is said by the query's type.
      return { rows: statement.all(values) as R[] };
    } catch (error) {
      throw statementError(error);
    }
  }

  // biome-ignore lint/correctness/useYield: rows are never streamed.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new StorageError("failed", "rows cannot be streamed: ask for fewer at a time");
  }

  close(): void {
    this.#closed = true;
    this.#prepared.clear();
    this.#database.close();
  }

  #statement(text: string): SqliteFile.Statement {
    if (this.#closed) throw new StorageError("failed", "the storage was closed");
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text);
    const oldest = this.#prepared.keys().next();
    if (this.#prepared.size >= PREPARED && oldest.done !== true) this.#prepared.delete(oldest.value);
    this.#prepared.set(text, statement);
    return statement;
  }
}

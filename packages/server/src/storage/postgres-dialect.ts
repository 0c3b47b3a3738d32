import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import pg from "pg";
import { columnValue } from "./column-text.js";
import type { StorageLogger } from "./database.js";
import { connectionError, StorageError, statementError } from "./storage-error.js";

const INT8 = 20;
const CONNECT_TIMEOUT = 10_000;

/** All integers of ours are below 2^53, so they are read as numbers. */
const types: pg.CustomTypesConfig = {
  // The signature has one overload for each format; what is not ours goes through as it came.
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    oid === INT8 && format !== "binary"
      ? Number
      : pg.types.getTypeParser(oid, format as "text")) as typeof pg.types.getTypeParser,
};

/**
 * A session's settings. Commits wait for the disk, whatever the database's default; a stricter default stands. Transactions
 * see what was committed before each statement, which our locks rely on.
 */
const SESSION = `select
  set_config('synchronous_commit', case when current_setting('synchronous_commit') in ('off', 'local')
    then 'on' else current_setting('synchronous_commit') end, false),
  set_config('default_transaction_isolation', 'read committed', false),
  set_config('statement_timeout', '60s', false),
  set_config('idle_in_transaction_session_timeout', '60s', false)`;

/** How a client connects, for the pool and for the one that listens. @throws StorageError `unreachable` for a bad address */
export function clientConfig(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    application_name: "d2-server",
    types,
  };
}

export interface PostgresOptions {
  readonly url: string;
  /** Connections at most. */
  readonly poolSize: number;
  readonly logger: StorageLogger | undefined;
}

export class PostgresDialect implements Dialect {
  readonly #options: PostgresOptions;

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  createDriver(): Driver {
    return new PostgresDriver(this.#options);
  }

  createQueryCompiler(): PostgresQueryCompiler {
    return new PostgresQueryCompiler();
  }

  createAdapter(): PostgresAdapter {
    return new PostgresAdapter();
  }

  createIntrospector(...args: ConstructorParameters<typeof PostgresIntrospector>): PostgresIntrospector {
    return new PostgresIntrospector(...args);
  }
}

class PostgresDriver implements Driver {
  readonly #pool: pg.Pool;
  /** Clients whose session has its settings. */
  readonly #ready = new WeakSet<pg.PoolClient>();

  constructor({ url, poolSize, logger }: PostgresOptions) {
    try {
      this.#pool = new pg.Pool({ ...clientConfig(url), max: poolSize });
    } catch (error) {
      throw connectionError(error);
    }
    // Without listeners the loss of a connection would end the process, be it idle or between two statements. The pool drops
    // such a connection, and its next statement fails.
    const lost = (error: unknown) => {
      logger?.warn({ code: connectionError(error).databaseCode }, "lost a connection to the database");
    };
    this.#pool.on("error", lost);
    this.#pool.on("connect", (client) => client.on("error", lost));
  }

  async init(): Promise<void> {
    // Nothing is to be done before the first connection.
  }

  async acquireConnection(): Promise<PostgresConnection> {
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw connectionError(error);
    }
    if (!this.#ready.has(client)) {
      try {
        await client.query(SESSION);
      } catch (error) {
        client.release(true);
        throw connectionError(error);
      }
      this.#ready.add(client);
    }
    return new PostgresConnection(client);
  }

  async beginTransaction(connection: PostgresConnection): Promise<void> {
    await connection.run("begin");
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    await connection.run("commit");
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    await connection.rollback();
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await this.#pool.end();
  }
}

class PostgresConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient;
  /** Not to be used again: nobody knows what state its session is in. */
  #broken = false;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  async run(statement: string): Promise<void> {
    try {
      await this.#client.query(statement);
    } catch (error) {
      throw statementError(error);
    }
  }

  /** The error that led here is what the caller must see; where this fails too, the session's end undoes everything. */
  async rollback(): Promise<void> {
    try {
      await this.#client.query("rollback");
    } catch {
      this.#broken = true;
    }
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const result = await this.#client.query(sql, parameters.map(columnValue));
      return { rows: result.rows, numAffectedRows: BigInt(result.rowCount ?? 0) };
    } catch (error) {
      throw statementError(error);
    }
  }

  // biome-ignore lint/correctness/useYield: rows are never streamed.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new StorageError("failed", "rows cannot be streamed: ask for fewer at a time");
  }

  release(): void {
    this.#client.release(this.#broken);
  }
}

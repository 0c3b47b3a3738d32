/**
 * - `unreachable`: no connection could be made
 * - `schema_older`, `schema_newer`: the database's schema is not the one of this program
 * - `unknown_account`, `unknown_app`: what should get something is not there
 * - `invalid`: an argument that the database could not be asked with
 * - `failed`: the database refused a statement; `databaseCode` says why
 */
export type StorageErrorCode =
  | "unreachable"
  | "schema_older"
  | "schema_newer"
  | "unknown_account"
  | "unknown_app"
  | "invalid"
  | "failed";

/** What went wrong in the database. Its message holds no stored value, unlike those of the databases' own errors. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;
  /** SQLSTATE, SQLite's result code or the system's error code; null: none. */
  readonly databaseCode: string | null;

  constructor(code: StorageErrorCode, message: string, databaseCode: string | null = null) {
    super(message);
    this.code = code;
    this.databaseCode = databaseCode;
  }
}

/** The `code` of a driver's error, if it looks like one. */
function codeOf(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "string" && /^\w{1,64}$/.test(error.code) ? error.code : null;
}

/** A statement was refused. Drivers quote values in their messages (`Key (name)=(…)`), so only the code is kept. */
export function statementError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const code = codeOf(error);
  const told = code === null ? "" : ` (\`${code}\`)`;
  return new StorageError("failed", `the database refused a statement${told}`, code);
}

/** No connection. The driver's message may hold the address with its password. */
export function connectionError(error: unknown): StorageError {
  const code = codeOf(error);
  const told = code === null ? "" : ` (\`${code}\`)`;
  return new StorageError(
    "unreachable",
    `cannot reach the database${told}: check that it runs, and its address, name and password`,
    code,
  );
}

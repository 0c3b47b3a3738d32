import { StorageError } from "../storage/storage-error.js";

/** An error as it may stand in the log. */
export interface LoggedError {
  readonly type: string;
  readonly code?: string;
  /** Only of errors whose messages are our own. */
  readonly message?: string;
  /** Where it came from, without its message. */
  readonly frames?: readonly string[];
  readonly cause?: LoggedError;
}

/** What can be said of an error without its message, for messages of databases and parsers hold what they were given. */
export function loggedError(error: unknown, depth = 3): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error };
  const code =
    "code" in error && (typeof error.code === "string" || typeof error.code === "number")
      ? error.code
      : undefined;
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return {
    type: error.name,
    ...(code === undefined ? {} : { code: String(code) }),
    ...(error instanceof StorageError ? { message: error.message } : {}),
    frames: frames.slice(0, 12).map((line) => line.trim()),
    ...(error.cause === undefined || depth === 0 ? {} : { cause: loggedError(error.cause, depth - 1) }),
  };
}

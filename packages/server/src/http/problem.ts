import { StorageError } from "../storage/storage-error.js";

/** What a problem says beside its code. */
export interface ProblemOptions {
  /** One sentence in lower case about this very case; never anything that the caller sent as a value. */
  readonly detail?: string | undefined;
  /** Further members of the problem document, by name. */
  readonly members?: Readonly<Record<string, unknown>> | undefined;
  /** Headers of the answer, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly cause?: unknown;
}

const TITLES: ReadonlyMap<number, string> = new Map([
  [400, "The request is not well formed"],
  [401, "The token is missing or not valid"],
  [402, "The plan does not cover this"],
  [403, "The token may not do this"],
  [404, "There is no such thing"],
  [405, "The method is not allowed here"],
  [408, "The request took too long"],
  [409, "It is in conflict with what is there"],
  [410, "It was revoked"],
  [412, "It has changed in the meantime"],
  [413, "The request is too large"],
  [414, "The address is too long"],
  [415, "The format of the body is not supported"],
  [422, "The content is not valid"],
  [429, "Too many requests"],
  [431, "The headers are too large"],
  [500, "The server failed"],
  [503, "The server is not ready"],
]);

/**
 * An answer that is an error: a problem document (RFC 9457). Thrown anywhere below a route, it becomes the answer.
 * `code` is stable and in snake_case; `type` and `error` of the document follow from it.
 */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string | undefined;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, options: ProblemOptions = {}) {
    const title = TITLES.get(status) ?? "The request failed";
    super(options.detail ?? title, options.cause === undefined ? {} : { cause: options.cause });
    this.status = status;
    this.code = code;
    this.title = title;
    this.detail = options.detail;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }

  /** The members of the document, without the request's id. */
  document(): Record<string, unknown> {
    return {
      ...this.members,
      type: `https://d2.dev/problems/${this.code}`,
      title: this.title,
      status: this.status,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
      code: this.code,
      // The public client reads `error`.
      error: this.code,
    };
  }
}

/** Whole seconds for `Retry-After`, at least 1. */
export function retryAfter(milliseconds: number): Record<string, string> {
  return { "Retry-After": String(Math.max(1, Math.ceil(milliseconds / 1000))) };
}

/** What the caller gets for anything that is not a problem: nothing that could give something away. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StorageError && error.code === "unreachable") {
    return new Problem(503, "storage_unavailable", {
      detail: "the database does not answer: try again soon",
      headers: { "Retry-After": "1" },
      cause: error,
    });
  }
  return new Problem(500, "internal", {
    detail: "the server could not finish the request; its log has more under the request's id",
    cause: error,
  });
}

/** The user that a request acts for. */
export interface RequestUser {
  /** A non-empty string. */
  readonly userId: string;
  /** Role names, as the policy spells them. Default: none, which is allowed nothing. */
  readonly roles?: readonly string[] | undefined;
}

/**
 * Tells from a request whom it acts for, at once or by a promise; `undefined` or `null`: nobody, so every guarded call
 * is refused with `no_context`. Must only rely on what has been verified (a session, a checked token).
 */
export type Extractor<R> = (
  request: R,
) => RequestUser | null | undefined | PromiseLike<RequestUser | null | undefined>;

/** Request headers as node has them, by lower-case name. */
export type HeaderRecord = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Request headers as the fetch standard has them. */
export interface HeaderList {
  get(name: string): string | null;
}

/** What `headersExtractor` reads: a request of node, express or fastify, or the context of koa or hono. */
export type HeaderSource =
  | { readonly headers: HeaderRecord | HeaderList }
  | { readonly req: { readonly raw: { readonly headers: HeaderList } } };

/**
 * Reads the user from the header `x-d2-user` and the roles from `x-d2-roles` (comma separated; blanks around a name and
 * empty names are dropped).
 *
 * Whoever can send these headers can be anybody. Use it only behind a proxy that takes both headers off every request
 * from outside before it sets its own, and let nothing but that proxy reach the server.
 *
 * No user: when `x-d2-user` is missing or empty, when it holds a comma (two headers folded into one look like that), and
 * when either header came more than once. Away from node, repeated `x-d2-roles` cannot be told from a single one.
 */
export function headersExtractor(request: HeaderSource): RequestUser | undefined {
  const user = headerOf(request, "x-d2-user");
  const roles = headerOf(request, "x-d2-roles");
  if (typeof user !== "string" || roles === "repeated" || user.includes(",")) return undefined;
  const userId = user.trim();
  if (userId === "") return undefined;
  const names = (roles ?? "").split(",").map((role) => role.trim());
  return { userId, roles: names.filter((role) => role !== "") };
}

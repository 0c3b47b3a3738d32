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
  const userId = soleHeader(request, "x-d2-user")?.trim();
  const roles = soleHeader(request, "x-d2-roles");
  if (userId === undefined || userId === "" || userId.includes(",") || roles === undefined) return undefined;
  const names = roles.split(",").map((role) => role.trim());
  return { userId, roles: names.filter((role) => role !== "") };
}

/** The value of a header, empty when it is not there; undefined when there is more than one. */
function soleHeader(request: HeaderSource, name: string): string | undefined {
  // Node folds repeated headers into one text, and only the raw list still tells.
  const raw = rawHeadersOf(request);
  if (raw.filter((entry, at) => at % 2 === 0 && entry.toLowerCase() === name).length > 1) return undefined;
  const headers = "headers" in request ? request.headers : request.req.raw.headers;
  const value = isHeaderList(headers)
    ? (headers.get(name) ?? "")
    : Object.hasOwn(headers, name)
      ? headers[name]
      : "";
  return typeof value === "string" ? value : undefined;
}

function isHeaderList(headers: HeaderRecord | HeaderList): headers is HeaderList {
  return typeof headers["get"] === "function";
}

/** Node's list of header names and values in turn: of the request itself, or of the one beneath a framework's. */
function rawHeadersOf(request: object): readonly string[] {
  const beneath = [request, property(request, "raw"), property(request, "req")];
  beneath.push(property(property(request, "env"), "incoming"));
  for (const candidate of beneath) {
    const raw = property(candidate, "rawHeaders");
    if (Array.isArray(raw)) return raw.filter((entry) => typeof entry === "string");
  }
  return [];
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

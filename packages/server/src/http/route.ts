import type { IncomingHttpHeaders } from "node:http";
import type { ZodType, ZodUndefined, z } from "zod";
import type { Scope, TokenKind } from "../storage/storage.js";
import { NO_QUERY } from "./query.js";
import type { Services } from "./services.js";
import { validated } from "./validation.js";

/** Whom a token stands for. */
export interface Identity {
  readonly accountId: string;
  readonly tokenId: string;
  readonly kind: TokenKind;
  readonly scopes: readonly Scope[];
  /** Of runtime tokens; null: the request must name the app. */
  readonly appId: string | null;
}

/** Who may call a route: anybody, or a token with at least one of the scopes. */
export type Access = "public" | { readonly scopes: readonly Scope[] };

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** One kind of answer, for the OpenAPI document. */
export interface AnswerDescription {
  readonly description: string;
  readonly schema?: ZodType;
  /** Default: `application/json` where there is a schema. */
  readonly contentType?: string;
}

/** What a handler returns. An object is sent as JSON; text and bytes as they are, with the `Content-Type` given in `headers`. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | object;
}

/** What is known of a request before its parts are read. */
export interface RequestFacts<S extends Services> {
  readonly services: S;
  readonly clock: () => number;
  readonly requestId: string;
  /** As they came, names in lower case. */
  readonly rawHeaders: IncomingHttpHeaders;
  /** The caller's address, behind trusted proxies the one that they tell. */
  readonly address: string;
}

/** The parts of a request before any schema has seen them. */
export interface RawParts {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON; undefined for routes without a body schema. */
  readonly body: unknown;
  /** The body's bytes for routes with `rawBody`, else empty. */
  readonly bytes: Uint8Array;
}

export interface RouteContext<S extends Services, A extends Access, P, Q, H, B> extends RequestFacts<S> {
  readonly identity: A extends "public" ? undefined : Identity;
  readonly params: P;
  readonly query: Q;
  readonly headers: H;
  readonly body: B;
  /** The body to the byte, where the route has `rawBody`; else empty. */
  readonly bytes: Uint8Array;
}

/** What a route says of itself, whatever its inputs are. */
export interface RouteDescription {
  readonly method: Method;
  /** With parameters in braces: `/v1/tokens/{id}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** Heading in the OpenAPI document. */
  readonly tag: string;
  readonly access: Access;
  /** The body's bytes are handed over untouched, whatever their type. */
  readonly rawBody?: boolean;
  /** Bytes; default `settings.bodyLimit`. */
  readonly bodyLimit?: number;
  /** `debug` for what is asked all the time. Default: `info`; a 304 is always `debug`. */
  readonly logLevel?: "info" | "debug";
  readonly params?: ZodType;
  readonly query?: ZodType;
  /** Names in lower case; others are let through. */
  readonly headers?: ZodType;
  /** Of a JSON body. Without it (and without `rawBody`) a body is not read. */
  readonly body?: ZodType;
  readonly responses: Readonly<Record<number, AnswerDescription>>;
}

export interface Route<S extends Services = Services> extends RouteDescription {
  /** Validates the parts, then calls the handler. @throws Problem */
  run(facts: RequestFacts<S>, identity: Identity | undefined, parts: RawParts): Answer | Promise<Answer>;
}

interface RouteDefinition<
  S extends Services,
  A extends Access,
  P extends ZodType,
  Q extends ZodType,
  H extends ZodType,
  B extends ZodType,
> extends RouteDescription {
  readonly access: A;
  readonly params?: P;
  readonly query?: Q;
  readonly headers?: H;
  readonly body?: B;
  readonly handler: (
    context: RouteContext<S, A, z.output<P>, z.output<Q>, z.output<H>, z.output<B>>,
  ) => Answer | Promise<Answer>;
}

/**
 * A maker of routes for handlers that need the services `S`:
 * `const route = routesOf<PolicyServices>()`, then `route({ method: "GET", path: "/v1/things", ... })`.
 */
export function routesOf<S extends Services>() {
  return <
    const A extends Access,
    P extends ZodType = ZodUndefined,
    Q extends ZodType = ZodUndefined,
    H extends ZodType = ZodUndefined,
    B extends ZodType = ZodUndefined,
  >(
    definition: RouteDefinition<S, A, P, Q, H, B>,
  ): Route<S> => {
    const { handler, ...description } = definition;
    // Most requests have no query, and what the schema makes of none is always the same.
    const none = definition.query?.safeParse(NO_QUERY);
    const ofNone = none?.success === true ? none.data : undefined;
    return {
      ...description,
      run(facts, identity, parts) {
        return handler({
          // One by one: this runs at every request, and copying an object whose shape is unknown takes longer than the rest.
          services: facts.services,
          clock: facts.clock,
          requestId: facts.requestId,
          rawHeaders: facts.rawHeaders,
          address: facts.address,
          // Holds: the pipeline runs no route before its access is granted, and grants it only to an identity.
          identity: identity as A extends "public" ? undefined : Identity,
          params: validated(definition.params, parts.params, "path"),
          query:
            ofNone !== undefined && parts.query === NO_QUERY
              ? ofNone
              : validated(definition.query, parts.query, "query"),
          headers: validated(definition.headers, facts.rawHeaders, "header"),
          body: validated(definition.body, parts.body, "body"),
          bytes: parts.bytes,
        });
      },
    };
  };
}

/** Makes a route for handlers that need no more than the basic services. */
export const route = routesOf<Services>();

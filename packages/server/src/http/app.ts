import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { Admission } from "../access/admission.js";
import { ClientAddress } from "../access/client-address.js";
import { holdsToken } from "../access/token-text.js";
import { loggedError } from "../observe/logged-error.js";
import { openApiRoute } from "./open-api.js";
import { Problem, problemOf } from "./problem.js";
import { queryOf } from "./query.js";
import { refuseRepeated } from "./repeated-headers.js";
import { parseJson, readBody } from "./request-body.js";
import { ResponseWriter, SECURITY_HEADERS } from "./response.js";
import type { Answer, Identity, RawParts, RequestFacts, Route } from "./route.js";
import { RouteTable } from "./route-table.js";
import type { Services } from "./services.js";

export type AppEnvironment = { Bindings: HttpBindings };

type RequestContext = Context<AppEnvironment>;

export interface AppOptions<S extends Services> {
  readonly routes: readonly Route<S>[];
  readonly services: S;
  readonly admission: Admission;
}

const REQUEST_ID = /^[\w.:-]{1,128}$/;
const NO_BYTES = new Uint8Array();

/** What an answer is counted and logged by. */
interface Exchange {
  readonly requestId: string;
  readonly route: string;
  readonly method: string;
  readonly level: "info" | "debug";
  readonly begun: number;
  identity: Identity | undefined;
}

/** Serves the routes, and the OpenAPI document of them at `/v1/openapi.json`. */
export function createApp<S extends Services>(options: AppOptions<S>): Hono<AppEnvironment> {
  const { services, admission } = options;
  const routes = [...options.routes, openApiRoute(options.routes)];
  const table = new RouteTable(routes);
  const app = new App(services, admission);
  const hono = new Hono<AppEnvironment>();
  for (const route of routes) {
    hono.on(route.method, route.path.replaceAll(/\{(\w+)\}/g, ":$1"), (context) => app.serve(route, context));
  }
  hono.onError((error, context) => app.failed(error, context));
  hono.notFound((context) => app.refuse(table, context));
  return hono;
}

class App<S extends Services> {
  readonly #services: S;
  readonly #admission: Admission;
  readonly #addresses: ClientAddress;
  readonly #writer: ResponseWriter;

  constructor(services: S, admission: Admission) {
    this.#services = services;
    this.#admission = admission;
    this.#addresses = new ClientAddress(services.settings.trustedProxies);
    this.#writer = new ResponseWriter(services.settings.tlsCert !== undefined, services.closing);
  }

  /** Answers at once where nothing has to be waited for: most bundle reads. */
  serve(route: Route<S>, context: RequestContext): Response | Promise<Response> {
    const { incoming } = context.env;
    const exchange = this.#exchange(incoming, route.path, route.logLevel ?? "info");
    try {
      refuseRepeated(incoming.rawHeaders);
      const address = this.#addresses.of(incoming);
      const identity = this.#admission.admit(route.access, incoming, address);
      const answer =
        identity instanceof Promise || route.body !== undefined || route.rawBody === true
          ? this.#later(route, context, exchange, address, identity)
          : this.#run(route, context, exchange, address, identity, undefined);
      if (!(answer instanceof Promise)) return this.#finish(exchange, answer);
      return answer.then(
        (given) => this.#finish(exchange, given),
        (error) => this.#fail(exchange, error),
      );
    } catch (error) {
      return this.#fail(exchange, error);
    }
  }

  /** What no route answers. */
  refuse(table: RouteTable, context: RequestContext): Response {
    const { incoming } = context.env;
    const exchange = this.#exchange(incoming, "none", "info");
    try {
      this.#admission.admitAddress(this.#addresses.of(incoming));
      throw table.refusal(context.req.path);
    } catch (error) {
      return this.#fail(exchange, error);
    }
  }

  /** What went wrong outside of every route. */
  failed(error: unknown, context: RequestContext): Response {
    return this.#fail(this.#exchange(context.env.incoming, "none", "info"), error);
  }

  #exchange(incoming: IncomingMessage, route: string, level: "info" | "debug"): Exchange {
    const given = incoming.headers["x-request-id"];
    const requestId =
      typeof given === "string" && REQUEST_ID.test(given) && !holdsToken(given) ? given : this.#newId();
    const method = incoming.method ?? "";
    return { requestId, route, method, level, begun: this.#services.monotonic(), identity: undefined };
  }

  #newId(): string {
    return Buffer.from(this.#services.randomBytes(12)).toString("base64url");
  }

  async #later(
    route: Route<S>,
    context: RequestContext,
    exchange: Exchange,
    address: string,
    admitted: Identity | undefined | Promise<Identity>,
  ): Promise<Answer> {
    const identity = await admitted;
    exchange.identity = identity;
    if (route.body === undefined && route.rawBody !== true) {
      return this.#run(route, context, exchange, address, identity, undefined);
    }
    const { settings } = this.#services;
    const { incoming } = context.env;
    const bytes = await readBody(incoming, route.bodyLimit ?? settings.bodyLimit, settings.bodyTimeout);
    return this.#run(route, context, exchange, address, identity, bytes);
  }

  #run(
    route: Route<S>,
    context: RequestContext,
    exchange: Exchange,
    address: string,
    identity: Identity | undefined,
    bytes: Buffer | undefined,
  ): Answer | Promise<Answer> {
    const { incoming } = context.env;
    exchange.identity = identity;
    const facts: RequestFacts<S> = {
      services: this.#services,
      clock: this.#services.clock,
      requestId: exchange.requestId,
      rawHeaders: incoming.headers,
      address,
    };
    const asJson = bytes !== undefined && route.body !== undefined;
    const parts: RawParts = {
      params: route.params === undefined ? {} : context.req.param(),
      query: queryOf(incoming.url ?? ""),
      body: asJson ? parseJson(bytes, incoming.headers["content-type"]) : undefined,
      bytes: bytes ?? NO_BYTES,
    };
    return route.run(facts, identity, parts);
  }

  #finish(exchange: Exchange, answer: Answer): Response {
    let response: Response;
    try {
      response = this.#writer.answer(answer, exchange.requestId);
    } catch (error) {
      return this.#fail(exchange, error);
    }
    this.#record(exchange, answer.status);
    return response;
  }

  #fail(exchange: Exchange, error: unknown): Response {
    const problem = problemOf(error);
    if (problem.status >= 500) {
      this.#services.logger.error(
        { requestId: exchange.requestId, route: exchange.route, error: loggedError(error) },
        "a request failed",
      );
    }
    this.#record(exchange, problem.status, problem.code);
    return this.#writer.problem(problem, exchange.requestId);
  }

  #record(
    { requestId, route, method, level, begun, identity }: Exchange,
    status: number,
    code?: string,
  ): void {
    const { metrics, logger, monotonic } = this.#services;
    const spent = monotonic() - begun;
    metrics.requests.add(1, route, String(status));
    metrics.latency.observe(spent / 1000, route);
    const quiet = status === 304 || (level === "debug" && status < 400);
    if (!logger.isLevelEnabled(quiet ? "debug" : "info")) return;
    const line = {
      requestId,
      method,
      route,
      status,
      ms: Math.round(spent * 1000) / 1000,
      ...(code === undefined ? {} : { code }),
      ...(identity === undefined ? {} : { account: identity.accountId }),
      ...(identity === undefined || identity.appId === null ? {} : { app: identity.appId }),
    };
    if (quiet) logger.debug(line, "request");
    else logger.info(line, "request");
  }
}

/** For requests that do not even reach a route, such as those without `Host`. */
export function unreadableRequest(): Response {
  const problem = new Problem(400, "request_invalid", {
    detail: "the request line or its headers are not valid",
  });
  return new Response(JSON.stringify(problem.document()), {
    status: problem.status,
    headers: { ...SECURITY_HEADERS, "Content-Type": "application/problem+json", Connection: "close" },
  });
}

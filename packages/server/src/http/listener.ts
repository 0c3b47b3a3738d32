import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server, STATUS_CODES } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { isIPv6, type Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import type { Logger } from "pino";
import { loggedError } from "../observe/logged-error.js";
import type { Settings } from "../settings.js";
import { type AppEnvironment, unreadableRequest } from "./app.js";
import { Problem } from "./problem.js";
import { SECURITY_HEADERS } from "./response.js";

/** How long a connection may wait for its next request, longer than the usual 60 s of balancers. */
const KEEP_ALIVE = 65_000;
/** How long nothing at all may happen on a connection. */
const SILENCE = 120_000;

/** The socket side: opens the port, keeps to the limits, and drains at the end. */
export class Listener {
  readonly #server: Server;
  readonly #drainTimeout: number;
  readonly url: string;

  private constructor(server: Server, settings: Settings) {
    this.#server = server;
    this.#drainTimeout = settings.drainTimeout;
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : settings.port;
    const host = isIPv6(settings.host) ? `[${settings.host}]` : settings.host;
    this.url = `${settings.tlsCert === undefined ? "http" : "https"}://${host}:${port}`;
  }

  /** @throws Error of the system when the port or the certificate cannot be used */
  static async open(app: Hono<AppEnvironment>, settings: Settings, logger: Logger): Promise<Listener> {
    const server = newServer(requestListener(app, logger), settings);
    server.on("clientError", refuse);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(settings.port, settings.host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    return new Listener(server, settings);
  }

  /** Takes no more connections, and waits for running requests; those that are not done in time are cut off. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(() => this.#server.closeAllConnections(), this.#drainTimeout);
      this.#server.close(() => {
        clearTimeout(deadline);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }
}

function requestListener(app: Hono<AppEnvironment>, logger: Logger): RequestListener {
  const listener = getRequestListener(
    (request, bindings) => {
      // Holds: only HTTP/1.1 is served.
      return app.fetch(request, bindings as AppEnvironment["Bindings"]);
    },
    { errorHandler: () => unreadableRequest() },
  );
  return (incoming, outgoing) => {
    listener(incoming, outgoing).catch((error) => {
      logger.error({ error: loggedError(error) }, "an answer could not be sent");
      outgoing.destroy();
    });
  };
}

function newServer(listener: RequestListener, settings: Settings): Server {
  const options = {
    maxHeaderSize: settings.headerLimit,
    headersTimeout: settings.headerTimeout,
    // The body has its own, which answers properly; this one is the net.
    requestTimeout: settings.headerTimeout + settings.bodyTimeout + 1_000,
    keepAliveTimeout: KEEP_ALIVE,
    connectionsCheckingInterval: Math.min(1_000, settings.headerTimeout),
  };
  const server =
    settings.tlsCert === undefined || settings.tlsKey === undefined
      ? createServer(options, listener)
      : createTlsServer(
          {
            ...options,
            minVersion: "TLSv1.2",
            cert: readFileSync(settings.tlsCert),
            key: readFileSync(settings.tlsKey),
          },
          listener,
        );
  server.maxConnections = settings.maxConnections;
  // Their size is bounded; beyond a count of its own Node would leave headers out without a word.
  server.maxHeadersCount = 0;
  server.timeout = SILENCE;
  return server;
}

function protocolProblem(error: NodeJS.ErrnoException): Problem {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return new Problem(431, "headers_too_large", { detail: "address and headers are too large together" });
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Problem(408, "request_too_slow", { detail: "the request did not arrive in time" });
  }
  return new Problem(400, "request_invalid", { detail: "this is not HTTP/1.1" });
}

/** What cannot be read as a request never gets to the routes. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = protocolProblem(error);
  const body = JSON.stringify(problem.document());
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      ...Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}`),
      "Content-Type: application/problem+json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}

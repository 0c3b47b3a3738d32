import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { createAdaptorServer } from "@hono/node-server";
import express, { type ErrorRequestHandler, type Request, type Response } from "express";
import fastify from "fastify";
import { type Context, Hono } from "hono";
import Koa from "koa";
import { d2Express } from "../src/web/express.js";
import type { HeaderSource, RequestUser } from "../src/web/extractor.js";
import { d2Fastify } from "../src/web/fastify.js";
import { d2Hono } from "../src/web/hono.js";
import { d2Koa } from "../src/web/koa.js";
import { withD2 } from "../src/web/node.js";
import type { WebOptions } from "../src/web/problem.js";

/** What a test asks a server to do: gives what is sent as JSON, or as a stream of texts. */
export type Handler = (path: string) => Promise<unknown>;

export type TestExtractor = (
  request: HeaderSource,
) => RequestUser | null | undefined | Promise<RequestUser | null | undefined>;

/** A server that runs, or an application that is still to be listened to. */
export interface Running {
  readonly url: string;
  readonly server: Server;
  close(): Promise<void>;
}

/** The status by which the application's own error handling makes itself known. */
export const OWN_ERROR = 599;

function isStream(value: unknown): value is AsyncIterable<string> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** Listens on a free port of the loopback. */
export async function listen(server: Server): Promise<Running> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The same small application in every framework, set up as its users do, with error handling of its own. */
export const servers: Readonly<
  Record<string, (extract: TestExtractor, handler: Handler, options?: WebOptions) => Promise<Running>>
> = {
  async express(extract, handler, options) {
    const app = express();
    app.use(d2Express(extract, options));
    app.use(async (request: Request, response: Response) => {
      const value = await handler(request.path);
      if (isStream(value)) Readable.from(value).pipe(response);
      else response.json(value);
    });
    const own: ErrorRequestHandler = (_error, _request, response, _next) =>
      void response.sendStatus(OWN_ERROR);
    app.use(own);
    return listen(createServer(app));
  },

  async fastify(extract, handler, options) {
    const app = fastify();
    await app.register(d2Fastify(extract, options));
    app.get("*", async (request, reply) => {
      const value = await handler(request.url);
      return isStream(value) ? reply.type("text/plain").send(Readable.from(value)) : value;
    });
    app.setErrorHandler((_error, _request, reply) => reply.code(OWN_ERROR).send("own"));
    await app.listen({ port: 0, host: "127.0.0.1" });
    const { port } = app.server.address() as AddressInfo;
    const close = async () => {
      app.server.closeAllConnections();
      await app.close();
    };
    return { url: `http://127.0.0.1:${port}`, server: app.server, close };
  },

  async hono(extract, handler, options) {
    const app = new Hono();
    app.use(d2Hono(extract, options));
    app.get("*", async (context: Context) => {
      const value = await handler(context.req.path);
      if (!isStream(value)) return context.json(value);
      const source = value[Symbol.asyncIterator]();
      const body = new ReadableStream({
        async pull(controller) {
          const { done, value: text } = await source.next();
          if (done === true) controller.close();
          else controller.enqueue(new TextEncoder().encode(text));
        },
        async cancel() {
          await source.return?.();
        },
      });
      return context.body(body);
    });
    app.onError(() => new Response("own", { status: OWN_ERROR }));
    return listen(createAdaptorServer({ fetch: app.fetch }) as Server);
  },

  async koa(extract, handler, options) {
    const app = new Koa();
    app.silent = true;
    app.use(async (context, next) => {
      try {
        await next();
      } catch {
        context.status = OWN_ERROR;
        context.body = "own";
      }
    });
    app.use(d2Koa(extract, options));
    app.use(async (context) => {
      const value = await handler(context.path);
      context.body = isStream(value) ? Readable.from(value) : value;
    });
    return listen(createServer(app.callback()));
  },

  async node(extract, handler, options) {
    const listener = withD2(
      extract,
      async (request: IncomingMessage, response: ServerResponse) => {
        const value = await handler(request.url ?? "/");
        if (isStream(value)) Readable.from(value).pipe(response);
        else response.setHeader("content-type", "application/json").end(JSON.stringify(value));
      },
      options,
    );
    return listen(
      createServer((request, response) => {
        listener(request, response).catch(() => response.writeHead(OWN_ERROR).end("own"));
      }),
    );
  },
};

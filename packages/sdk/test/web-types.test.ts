import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { serve } from "@hono/node-server";
import express, { type Request } from "express";
import fastify, { type FastifyRequest } from "fastify";
import { type Context, Hono } from "hono";
import Koa from "koa";
import { expect, expectTypeOf, it } from "vitest";
import { d2Express } from "../src/web/express.js";
import { headersExtractor } from "../src/web/extractor.js";
import { d2Fastify } from "../src/web/fastify.js";
import { d2Hono } from "../src/web/hono.js";
import { d2Koa } from "../src/web/koa.js";
import { withD2 } from "../src/web/node.js";

const alice = { userId: "alice", roles: ["analyst"] };

// The compiler is the judge here: each line is as a user writes it, and running it is the smaller part.
it("express takes the middleware, with the extractor's request as express declares it", () => {
  const app = express();
  app.use(d2Express(headersExtractor));
  app.use(
    "/api",
    d2Express((request: Request) => (request.ip === undefined ? undefined : alice)),
  );
  app.use(d2Express(async () => alice, { errors: "throw" }));
  app.get("/", d2Express(headersExtractor), (_request, response) => void response.end());
  app.use(
    d2Express((request) => {
      expectTypeOf(request).toHaveProperty("headers");
      return undefined;
    }),
  );
  express.Router().use(d2Express(headersExtractor));
  expect(app.router.stack).toHaveLength(5);
});

it("fastify takes the plugin, with the extractor's request as fastify declares it", async () => {
  const app = fastify();
  app.register(d2Fastify(headersExtractor));
  app.register(d2Fastify((request: FastifyRequest) => (request.id === "" ? undefined : alice)));
  await app.register(d2Fastify(async () => alice, { errors: "throw" }));
  fastify({ http2: true }).register(d2Fastify(headersExtractor));
  await app.ready();
});

it("hono takes the middleware, with the extractor's context as hono declares it", () => {
  const app = new Hono<{ Variables: { user: string } }>();
  app.use(d2Hono(headersExtractor));
  app.use(
    "/api/*",
    d2Hono((context: Context) => ({ userId: context.req.path })),
  );
  app.use(d2Hono((context) => (context.req.raw.headers.get("x") === null ? null : alice)));
  app.get("/", d2Hono(headersExtractor), (context) => context.text("ok"));
  expectTypeOf(serve).toBeCallableWith({ fetch: app.fetch });
  expect(app.routes).toHaveLength(5);
});

it("koa takes the middleware, with the extractor's context as koa declares it", () => {
  const app = new Koa<{ user: string }>();
  app.use(d2Koa(headersExtractor));
  app.use(d2Koa((context: Koa.Context) => ({ userId: context.ip, roles: [] })));
  app.use(d2Koa(async (context) => (context.headers["x"] === undefined ? undefined : alice)));
  expect(app.middleware).toHaveLength(3);
});

it("node's http takes the listener, with the request and the response of node", () => {
  createServer(withD2(headersExtractor, (_request, response) => response.end()));
  createServer(
    withD2(
      (request: IncomingMessage) => (request.socket.remoteAddress === undefined ? undefined : alice),
      async (request: IncomingMessage, response: ServerResponse) => {
        for await (const _chunk of request) response.write("");
        response.end();
      },
    ),
  );
  const listener = withD2(headersExtractor, (request: IncomingMessage, response: ServerResponse) => {
    expectTypeOf(request).toEqualTypeOf<IncomingMessage>();
    response.end();
  });
  expectTypeOf(listener).returns.toEqualTypeOf<Promise<void>>();
  expect(listener).toBeTypeOf("function");
});

it("an extractor must tell a user, or nobody", () => {
  // @ts-expect-error roles are a list
  d2Express(() => ({ userId: "alice", roles: "analyst" }));
  // @ts-expect-error a user has an id
  d2Koa(() => ({ roles: [] }));
  // @ts-expect-error there is no such way
  expect(() => d2Hono(() => undefined, { errors: "hide" })).toThrow(TypeError);
});

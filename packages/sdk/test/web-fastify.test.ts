import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { afterEach, beforeEach, expect, it } from "vitest";
import { d2Guard, getUserContext } from "../src/index.js";
import { instanceSlot } from "../src/setup/registry.js";
import { d2Fastify, headersExtractor } from "../src/web/fastify.js";
import { enforce } from "./enforce.js";

const read = d2Guard("notes.read", () => ({ by: getUserContext().userId }));
const erase = d2Guard("notes.erase", () => "erased");
const alice = { headers: { "x-d2-user": "alice", "x-d2-roles": "reader" } };

const running: FastifyInstance[] = [];

async function serve(app: FastifyInstance): Promise<string> {
  running.push(app);
  return app.listen({ port: 0, host: "127.0.0.1" });
}

beforeEach(() =>
  enforce([
    { role: "reader", permissions: ["notes.read"] },
    { role: "boss", permissions: ["notes.erase"] },
  ]),
);

afterEach(async () => {
  for (const app of running.splice(0)) {
    app.server.closeAllConnections();
    await app.close();
  }
  instanceSlot("default").enforcer = undefined;
});

it("fastify keeps the user behind its body parser", async () => {
  const app = fastify();
  await app.register(d2Fastify(headersExtractor));
  app.post("/", async (request) => ({ ...read(), sent: request.body }));
  const url = await serve(app);
  const response = await fetch(url, {
    method: "POST",
    body: JSON.stringify({ n: 1 }),
    headers: { ...alice.headers, "content-type": "application/json" },
  });
  expect(await response.json()).toEqual({ by: "alice", sent: { n: 1 } });
});

it("fastify answers refusals of routes that were declared before the plugin had loaded", async () => {
  const app = fastify();
  app.register(d2Fastify(headersExtractor));
  app.get("/read", async () => read());
  app.get("/erase", async () => erase());
  app.get("/broken", async () => {
    throw new Error("broken");
  });
  const url = await serve(app);
  expect(await (await fetch(`${url}/read`, alice)).json()).toEqual({ by: "alice" });
  const refused = await fetch(`${url}/erase`, alice);
  expect([refused.status, refused.headers.get("content-type")]).toEqual([403, "application/problem+json"]);
  expect(await refused.json()).toMatchObject({ reason: "rbac_denied", tool: "notes.erase" });
  expect((await fetch(`${url}/broken`, alice)).status).toBe(500);
});

it("fastify answers refusals before every error handler, and leaves those other errors", async () => {
  const app = fastify({ allowErrorHandlerOverride: false });
  await app.register(d2Fastify(headersExtractor));
  const seen: unknown[] = [];
  app.setErrorHandler((error, _request, reply) => {
    seen.push(error);
    reply.code(590).send("own");
  });
  app.register(async (child) => {
    child.setErrorHandler((error, _request, reply) => {
      seen.push(error);
      reply.code(591).send("own");
    });
    child.get("/child/refused", async () => erase());
    child.get("/child/broken", async () => {
      throw new Error("broken");
    });
  });
  const broken = async () => {
    throw new Error("broken");
  };
  const ofRoute = {
    errorHandler: (_error: unknown, _request: unknown, reply: FastifyReply) =>
      void reply.code(592).send("own"),
  };
  app.get("/refused", async () => erase());
  app.get("/sync", (_request, reply) => reply.send(erase()));
  app.get("/broken", broken);
  app.get("/route/refused", ofRoute, async () => erase());
  app.get("/route/broken", ofRoute, broken);
  app.get("/hook", { preHandler: async () => void erase() }, async () => "never");
  const url = await serve(app);
  for (const [path, status] of [
    ["/refused", 403],
    ["/sync", 403],
    ["/hook", 403],
    ["/broken", 590],
    ["/child/refused", 403],
    ["/child/broken", 591],
    ["/route/refused", 403],
    ["/route/broken", 592],
  ] as const) {
    expect([path, (await fetch(url + path, alice)).status]).toEqual([path, status]);
  }
  expect(seen).toEqual([new Error("broken"), new Error("broken")]);
});

it("fastify runs injected requests in their context too", async () => {
  const app = fastify();
  await app.register(d2Fastify(headersExtractor));
  app.get("/", async () => read());
  expect((await app.inject({ url: "/", headers: alice.headers })).json()).toEqual({ by: "alice" });
  expect((await app.inject("/")).json()).toMatchObject({ reason: "no_context" });
  await app.close();
});

it("fastify has a user in the routes of the plugin's own level and below, not beside it", async () => {
  const app = fastify();
  app.register(async (inside) => {
    await inside.register(d2Fastify(headersExtractor));
    inside.get("/inside", async () => ({ by: getUserContext().userId ?? null }));
  });
  app.get("/beside", async () => ({ by: getUserContext().userId ?? null }));
  const url = await serve(app);
  expect(await (await fetch(`${url}/inside`, alice)).json()).toEqual({ by: "alice" });
  expect(await (await fetch(`${url}/beside`, alice)).json()).toEqual({ by: null });
});

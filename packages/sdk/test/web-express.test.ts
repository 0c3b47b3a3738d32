import { createServer } from "node:http";
import express, { type ErrorRequestHandler, type Express } from "express";
import { afterEach, beforeEach, expect, it } from "vitest";
import { d2Guard, getUserContext } from "../src/index.js";
import { instanceSlot } from "../src/setup/registry.js";
import { d2Express, headersExtractor } from "../src/web/express.js";
import { enforce } from "./enforce.js";
import { listen, type Running } from "./web-servers.js";

const read = d2Guard("notes.read", () => ({ by: getUserContext().userId }));
const erase = d2Guard("notes.erase", () => "erased");
const alice = { headers: { "x-d2-user": "alice", "x-d2-roles": "reader" } };

const running: Running[] = [];

async function serve(app: Express): Promise<string> {
  const server = await listen(createServer(app));
  running.push(server);
  return server.url;
}

/** An error middleware with a status by which it is known. */
const own =
  (status: number): ErrorRequestHandler =>
  (_error, _request, response, _next) =>
    void response.status(status).send("own");

beforeEach(() =>
  enforce([
    { role: "reader", permissions: ["notes.read"] },
    { role: "boss", permissions: ["notes.erase"] },
  ]),
);

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
  instanceSlot("default").enforcer = undefined;
});

it("express keeps the user behind body parsers, also those that wait for `end` by themselves", async () => {
  const app = express();
  app.use(d2Express(headersExtractor));
  app.post(
    "/json",
    express.json(),
    (request, response) => void response.json({ ...read(), sent: request.body }),
  );
  app.post(
    "/plain",
    (request, _response, next) => {
      request.resume().on("end", () => next());
    },
    (_request, response) => void response.json(read()),
  );
  const url = await serve(app);
  const post = (path: string) =>
    fetch(url + path, {
      method: "POST",
      body: JSON.stringify({ n: 1 }),
      headers: { ...alice.headers, "content-type": "application/json" },
    });
  expect(await (await post("/json")).json()).toEqual({ by: "alice", sent: { n: 1 } });
  expect(await (await post("/plain")).json()).toEqual({ by: "alice" });
});

it("express answers refusals of an application without error handling, synchronous ones too", async () => {
  const app = express();
  app.use(d2Express(headersExtractor));
  app.get("/sync", () => void erase());
  app.get("/next", (_request, _response, next) => {
    try {
      erase();
    } catch (error) {
      next(error);
    }
  });
  const url = await serve(app);
  expect((await fetch(`${url}/sync`, alice)).status).toBe(403);
  expect((await fetch(`${url}/next`, alice)).status).toBe(403);
  expect((await fetch(`${url}/none`, alice)).status).toBe(404);
});

it("express answers refusals before error middleware of routers and routes, and leaves those other errors", async () => {
  const app = express();
  app.use(d2Express(headersExtractor));
  const api = express.Router();
  api.get("/refused", () => void erase());
  api.get("/broken", () => {
    throw new Error("broken");
  });
  api.get("/route", () => void erase(), own(592));
  api.use(own(591));
  app.use("/api", api);
  app.use(own(590));
  const url = await serve(app);
  for (const [path, status] of [
    ["/api/refused", 403],
    ["/api/route", 403],
    ["/api/broken", 591],
  ] as const) {
    expect([path, (await fetch(url + path, alice)).status]).toEqual([path, status]);
  }
});

it("express answers refusals of routes and before error middleware that came after the first request", async () => {
  const app = express();
  app.use(d2Express(headersExtractor));
  const url = await serve(app);
  expect((await fetch(`${url}/late`, alice)).status).toBe(404);
  app.get("/late", () => void erase());
  expect((await fetch(`${url}/late`, alice)).status).toBe(403);
  app.use(own(590));
  expect((await fetch(`${url}/late`, alice)).status).toBe(403);
});

it("express waits for error middleware that is asynchronous", async () => {
  const app = express();
  app.use(d2Express(headersExtractor));
  app.get("/", () => {
    throw new Error("broken");
  });
  const failing: ErrorRequestHandler = async (_error, _request, _response, _next) => {
    throw new Error("broken too");
  };
  app.use(failing, own(590));
  const url = await serve(app);
  expect((await fetch(url, alice)).status).toBe(590);
});

it("express puts one answer a middleware at the end, however many requests and middlewares there are", async () => {
  const app = express();
  app.use("/a", d2Express(headersExtractor));
  app.use("/b", d2Express(headersExtractor));
  app.get("/{*path}", () => void erase());
  const url = await serve(app);
  for (const path of ["/a", "/b", "/a", "/b"]) expect((await fetch(url + path, alice)).status).toBe(403);
  expect(app.router.stack).toHaveLength(5);
});

it("express leaves what did not pass the middleware alone", async () => {
  const app = express();
  app.use("/api", d2Express(headersExtractor));
  app.get("/{*path}", () => void erase());
  app.use(own(590));
  const url = await serve(app);
  expect((await fetch(`${url}/api`, alice)).status).toBe(403);
  expect((await fetch(`${url}/open`, alice)).status).toBe(590);
});

it("express puts nothing anywhere on `errors: throw`", async () => {
  const app = express();
  app.use(d2Express(headersExtractor, { errors: "throw" }));
  app.get("/", () => void erase());
  const handler = own(590);
  app.use(handler);
  const url = await serve(app);
  expect((await fetch(url, alice)).status).toBe(590);
  expect(app.router.stack.at(-1)?.handle).toBe(handler);
});

it("express gets the error of a refusal that comes when an answer has begun", async () => {
  const app = express();
  app.use(d2Express(headersExtractor));
  app.get("/", (_request, response) => {
    response.write("half");
    erase();
  });
  const seen: unknown[] = [];
  const handler: ErrorRequestHandler = (error, _request, response, _next) => {
    seen.push(error.reason);
    response.end(" done");
  };
  app.use(handler);
  const url = await serve(app);
  expect(await (await fetch(url, alice)).text()).toBe("half done");
  expect(seen).toEqual(["rbac_denied"]);
});

it("express keeps headers of the application on a problem, but none of a body that is not sent", async () => {
  const app = express();
  app.use(d2Express(headersExtractor));
  app.get("/", (_request, response) => {
    response.set({ "access-control-allow-origin": "*", etag: '"1"', "content-encoding": "br" }).status(201);
    erase();
  });
  const url = await serve(app);
  const response = await fetch(url, alice);
  expect(response.status).toBe(403);
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(response.headers.get("etag")).toBeNull();
  expect(await response.json()).toMatchObject({ tool: "notes.erase" });
});

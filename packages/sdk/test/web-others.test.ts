import { AsyncResource } from "node:async_hooks";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { streamText } from "hono/streaming";
import Koa from "koa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { d2Guard, getUserContext, PermissionDeniedError, runAs } from "../src/index.js";
import { instanceSlot } from "../src/setup/registry.js";
import { d2Hono, headersExtractor } from "../src/web/hono.js";
import { d2Koa } from "../src/web/koa.js";
import { withD2 } from "../src/web/node.js";
import { enforce, SILENT } from "./enforce.js";
import { listen, type Running } from "./web-servers.js";

const read = d2Guard("notes.read", () => ({ by: getUserContext().userId }));
const erase = d2Guard("notes.erase", () => "erased");
const alice = { headers: { "x-d2-user": "alice", "x-d2-roles": "reader" } };
const userNow = () => getUserContext().userId ?? null;

const running: Running[] = [];

async function serve(server: ReturnType<typeof createServer>): Promise<string> {
  const it = await listen(server);
  running.push(it);
  return it.url;
}

/** A body of three chunks that are made while it is read, each by a guarded call. */
function drawnBody(): ReadableStream<Uint8Array> {
  let left = 3;
  return new ReadableStream(
    {
      async pull(controller) {
        await setImmediate();
        controller.enqueue(new TextEncoder().encode(`${read().by} `));
        left -= 1;
        if (left === 0) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

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

describe("hono without node's http", () => {
  it("has its context, and is over when the body has been produced", async () => {
    const late: (() => unknown)[] = [];
    const app = new Hono();
    app.use(d2Hono(headersExtractor));
    app.get("/json", (context) => {
      late.push(AsyncResource.bind(userNow));
      return context.json(read());
    });
    app.get("/drawn", (context) => {
      late.push(AsyncResource.bind(userNow));
      return context.body(drawnBody());
    });
    app.get("/empty", (context) => {
      late.push(AsyncResource.bind(userNow));
      return context.body(null, 204);
    });
    app.get("/helper", (context) =>
      streamText(context, async (stream) => {
        await setImmediate();
        await stream.write(`${read().by}`);
      }),
    );
    expect(await (await app.request("/json", alice)).json()).toEqual({ by: "alice" });
    expect(await (await app.request("/drawn", alice)).text()).toBe("alice alice alice ");
    expect((await app.request("/empty", alice)).status).toBe(204);
    expect(await (await app.request("/helper", alice)).text()).toBe("alice");
    // Nobody reads this one.
    await app.request("/json", alice);
    await setImmediate();
    expect(late.map((user) => user())).toEqual([null, null, null, null]);
  });

  it("is over when the reader gives up", async () => {
    let late = (): unknown => undefined;
    let cancelled = false;
    const app = new Hono();
    app.use(d2Hono(headersExtractor));
    app.get("/", (context) => {
      late = AsyncResource.bind(userNow);
      return context.body(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(1)),
          cancel() {
            cancelled = true;
          },
        }),
      );
    });
    const response = await app.request("/", alice);
    expect(late()).toBe("alice");
    await response.body?.cancel();
    await setImmediate();
    expect([late(), cancelled]).toEqual([null, true]);
  });

  it("keeps what other middleware set on a problem", async () => {
    const app = new Hono();
    app.onError((_error, context) => context.text("own", 500));
    app.use(cors());
    app.use(d2Hono(headersExtractor));
    app.get("/", (context) => context.text(erase()));
    const response = await app.request("/", { headers: { ...alice.headers, origin: "http://a.example" } });
    expect(response.status).toBe(403);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  });

  it("keeps status and headers of an answer, cookies one by one", async () => {
    const app = new Hono();
    app.use(d2Hono(headersExtractor));
    app.get("/", (context) => {
      context.header("set-cookie", "a=1", { append: true });
      context.header("set-cookie", "b=2", { append: true });
      return context.text("made", 201);
    });
    const response = await app.request("/", alice);
    expect([response.status, response.headers.getSetCookie()]).toEqual([201, ["a=1", "b=2"]]);
  });
});

describe("koa", () => {
  it("draws from streams of the web in the context of the request", async () => {
    const app = new Koa();
    app.use(d2Koa(headersExtractor));
    app.use((context) => {
      context.body = context.path === "/stream" ? drawnBody() : new Response(drawnBody(), { status: 201 });
    });
    const url = await serve(createServer(app.callback()));
    expect(await (await fetch(`${url}/stream`, alice)).text()).toBe("alice alice alice ");
    const response = await fetch(`${url}/response`, alice);
    expect([response.status, await response.text()]).toEqual([201, "alice alice alice "]);
  });

  it("runs the listeners of a body in the context of the request", async () => {
    const seen: unknown[] = [];
    const app = new Koa();
    app.use(d2Koa(headersExtractor));
    app.use((context) => {
      context.body = Readable.from(["a", "b"]).on("end", () => seen.push(userNow()));
    });
    const url = await serve(createServer(app.callback()));
    expect(await (await fetch(url, alice)).text()).toBe("ab");
    expect(seen).toEqual(["alice"]);
  });

  it("is over for a middleware further out that catches an error", async () => {
    let late = (): unknown => undefined;
    const app = new Koa();
    app.use(async (context, next) => {
      await next().catch(() => undefined);
      context.body = { late: late() };
    });
    app.use(d2Koa(headersExtractor));
    app.use(() => {
      late = AsyncResource.bind(userNow);
      throw new Error("broken");
    });
    const response = await fetch(await serve(createServer(app.callback())), alice);
    expect(await response.json()).toEqual({ late: null });
  });

  it("keeps the user for a middleware between, also on the way back", async () => {
    const app = new Koa();
    app.use(d2Koa(headersExtractor));
    app.use(async (context, next) => {
      await next();
      context.set("x-after", String(userNow()));
    });
    app.use((context) => {
      context.body = read();
    });
    const response = await fetch(await serve(createServer(app.callback())), alice);
    expect([response.headers.get("x-after"), await response.json()]).toEqual(["alice", { by: "alice" }]);
  });
});

describe("node's http", () => {
  it("keeps the user for listeners of the request and the response", async () => {
    const closed: unknown[] = [];
    const url = await serve(
      createServer(
        withD2(headersExtractor, (request: IncomingMessage, response: ServerResponse) => {
          response.on("close", () => closed.push(userNow()));
          request.resume().on("end", () => response.end(JSON.stringify(read())));
        }),
      ),
    );
    const response = await fetch(url, { method: "POST", body: "sent", ...alice });
    expect(await response.json()).toEqual({ by: "alice" });
    expect(closed).toEqual([null]);
  });

  it("keeps its own user for listeners when code of another user ends the response", async () => {
    const seen: unknown[] = [];
    await runAs("root", {}, async () => {
      const waiting = new Promise<ServerResponse>((resolve, reject) => {
        const listener = withD2(headersExtractor, (_request, response) => {
          response.on("finish", () => seen.push(userNow()));
          response.on("close", () => seen.push(userNow()));
          resolve(response);
        });
        serve(createServer(listener))
          .then((url) => fetch(url, alice))
          .catch(reject);
      });
      const response = await waiting;
      const closed = once(response, "close");
      response.end();
      await closed;
      seen.push(userNow());
    });
    expect(seen).toEqual(["alice", null, "root"]);
  });

  it("leaves listeners to a context deeper in the request", async () => {
    const url = await serve(
      createServer(
        withD2(headersExtractor, (request, response) => {
          const seen: unknown[] = [];
          request.on("noted", () => seen.push(userNow()));
          request.emit("noted");
          runAs("inner", {}, () => request.emit("noted"));
          response.end(JSON.stringify(seen));
        }),
      ),
    );
    expect(await (await fetch(url, alice)).json()).toEqual(["alice", "inner"]);
  });

  it("answers 500 when the extractor fails, and logs it", async () => {
    const logged: string[] = [];
    const slot = instanceSlot("default");
    if (slot.enforcer === undefined) throw new Error("there is no policy");
    slot.enforcer = { ...slot.enforcer, logger: { ...SILENT, error: (message) => logged.push(message) } };
    let ran = false;
    const failing = () => {
      throw new Error("bad token");
    };
    const listener = withD2(failing, () => {
      ran = true;
    });
    const response = await fetch(await serve(createServer(listener)), alice);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      500,
      "application/problem+json",
    ]);
    expect(await response.text()).not.toContain("token");
    expect(logged).toEqual([expect.stringContaining("bad token")]);
    expect(ran).toBe(false);
  });

  it("answers the refusal of a synchronous handler, and passes its other errors on", async () => {
    const passed: unknown[] = [];
    let late = (): unknown => undefined;
    const listener = withD2(headersExtractor, (request: IncomingMessage, response: ServerResponse) => {
      late = AsyncResource.bind(userNow);
      if (request.url === "/begun") response.write("half");
      if (request.url === "/broken") throw new Error("broken");
      erase();
    });
    const url = await serve(
      createServer((request, response) => {
        listener(request, response).catch((error) => {
          passed.push(error, late());
          response.end();
        });
      }),
    );
    expect((await fetch(url, alice)).status).toBe(403);
    expect(await (await fetch(`${url}/begun`, alice)).text()).toBe("half");
    await fetch(`${url}/broken`, alice);
    expect(passed).toEqual([expect.any(PermissionDeniedError), null, new Error("broken"), null]);
  });
});

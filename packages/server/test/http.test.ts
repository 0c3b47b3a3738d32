import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Problem } from "../src/http/problem.js";
import { route } from "../src/http/route.js";
import { overSocket, testServer } from "./running-server.js";

const echo = route({
  method: "POST",
  path: "/v1/echo/{name}",
  summary: "Says what it heard",
  tag: "test",
  access: "public",
  params: z.object({ name: z.string().max(5) }),
  query: z.object({ loud: z.enum(["yes", "no"]).optional() }),
  body: z.strictObject({ words: z.array(z.string().max(8)), count: z.int().default(1) }),
  responses: { 200: { description: "What was heard", schema: z.object({}) } },
  handler: ({ params, query, body, requestId }) => ({
    status: 200,
    body: { params, query, body, requestId },
  }),
});

const bytes = route({
  method: "PUT",
  path: "/v1/bytes",
  summary: "Counts bytes",
  tag: "test",
  access: "public",
  rawBody: true,
  bodyLimit: 100,
  responses: { 200: { description: "How many" } },
  handler: ({ bytes: given }) => ({ status: 200, body: { hex: Buffer.from(given).toString("hex") } }),
});

const throwing = (name: string, error: () => unknown) =>
  route({
    method: "GET",
    path: `/v1/${name}`,
    summary: "Fails",
    tag: "test",
    access: "public",
    responses: {},
    handler: () => {
      throw error();
    },
  });

describe("a route", () => {
  it("hands its handler the validated parts, with defaults", async () => {
    const { call } = await testServer({}, [echo]);
    const reply = await call("POST", "/v1/echo/bob?loud=yes", { json: { words: ["hi"] } });
    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject({
      params: { name: "bob" },
      query: { loud: "yes" },
      body: { words: ["hi"], count: 1 },
    });
  });

  it.each([
    ["/v1/echo/bobbobbob", { words: [] }, "path", "name"],
    ["/v1/echo/bob?loud=secret-value", { words: [] }, "query", "loud"],
    ["/v1/echo/bob", { words: ["ok", "secret-value"] }, "body", "words[1]"],
    ["/v1/echo/bob", { words: "secret-value" }, "body", "words"],
    ["/v1/echo/bob", { words: [], "secret-value": 1 }, "body", ""],
  ])("names the paths of what is wrong and no values: %s %j", async (path, json, part, issuePath) => {
    const server = await testServer({}, [echo]);
    const reply = await server.call("POST", path, { json });
    expect(reply.status).toBe(400);
    expect(reply.json).toMatchObject({ code: "invalid_request", issues: [{ in: part, path: issuePath }] });
    expect(reply.text + server.lines.join("")).not.toContain("secret-value");
  });

  it("refuses a query that names a parameter twice", async () => {
    const { call } = await testServer({}, [echo]);
    const reply = await call("POST", "/v1/echo/bob?loud=yes&loud=no", { json: { words: [] } });
    expect([reply.status, reply.json.code]).toEqual([400, "repeated_parameter"]);
  });

  it("keeps a `__proto__` in a body away from every prototype", async () => {
    const { call } = await testServer({}, [echo]);
    const body = '{"words":[],"__proto__":{"count":7}}';
    const reply = await call("POST", "/v1/echo/bob", {
      body,
      headers: { "Content-Type": "application/json" },
    });
    expect(reply.json.body?.count ?? 1).toBe(1);
    expect(Object.hasOwn(Object.prototype, "count")).toBe(false);
  });

  it("gets a raw body to the byte, whatever its type", async () => {
    const { call } = await testServer({}, [bytes]);
    const body = new Uint8Array([0, 255, 13, 10, 128]);
    expect((await call("PUT", "/v1/bytes", { body })).json).toEqual({ hex: "00ff0d0a80" });
  });
});

describe("problems", () => {
  it("are documents with the code in `code` and `error`, and the request's id", async () => {
    const { call } = await testServer({}, [
      throwing(
        "limit",
        () => new Problem(402, "tool_limit", { detail: "too many tools", members: { limit: 3 } }),
      ),
    ]);
    const reply = await call("GET", "/v1/limit", { headers: { "X-Request-Id": "mine-1" } });
    expect(reply.headers.get("content-type")).toBe("application/problem+json");
    expect(reply.json).toEqual({
      type: "https://d2.dev/problems/tool_limit",
      title: "The plan does not cover this",
      status: 402,
      detail: "too many tools",
      code: "tool_limit",
      error: "tool_limit",
      limit: 3,
      request_id: "mine-1",
    });
  });

  it("say nothing of an unexpected error, nor does the log quote it", async () => {
    const server = await testServer({}, [throwing("broken", () => new Error("row (secret-value) is bad"))]);
    const reply = await server.call("GET", "/v1/broken");
    expect([reply.status, reply.json.code]).toEqual([500, "internal"]);
    expect(reply.text + server.lines.join("")).not.toContain("secret-value");
    expect(server.lines.join("")).toContain("http.test.ts");
  });

  it("answer an unknown address with 404, and a wrong method with 405 and the right ones", async () => {
    const { call } = await testServer({}, [echo, bytes]);
    expect((await call("GET", "/v1/nothing")).json).toMatchObject({ status: 404, code: "not_found" });
    const wrong = await call("DELETE", "/v1/echo/bob");
    expect([wrong.status, wrong.headers.get("allow"), wrong.json.code]).toEqual([
      405,
      "POST",
      "method_not_allowed",
    ]);
    expect((await call("POST", "/v1/healthz")).headers.get("allow")).toBe("GET, HEAD");
  });

  it("replace an answer whose header could smuggle another", async () => {
    const smuggle = route({
      method: "GET",
      path: "/v1/smuggle",
      summary: "Makes a bad header",
      tag: "test",
      access: "public",
      responses: {},
      handler: () => ({ status: 200, headers: { ETag: 'a"\r\nX-Evil: 1' } }),
    });
    const reply = await (await testServer({}, [smuggle])).call("GET", "/v1/smuggle");
    expect([reply.status, reply.headers.get("x-evil")]).toEqual([500, null]);
  });
});

describe("every answer", () => {
  it("carries the security headers and an id; a given id is kept only when it is harmless", async () => {
    const { call } = await testServer();
    const reply = await call("GET", "/v1/healthz");
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
    });
    const own = reply.headers.get("x-request-id");
    expect(own).toMatch(/^[\w-]{16}$/);
    const odd = await call("GET", "/v1/healthz", { headers: { "X-Request-Id": "a b<script>" } });
    expect(odd.headers.get("x-request-id")).toMatch(/^[\w-]{16}$/);
    const token = `d2r_${"k".repeat(43)}`;
    const secret = await call("GET", "/v1/healthz", { headers: { "X-Request-Id": `req-${token}` } });
    expect([...secret.headers.values()].join()).not.toContain(token);
    const kept = await call("GET", "/v1/healthz", { headers: { "X-Request-Id": "5f0c-1" } });
    expect(kept.headers.get("x-request-id")).toBe("5f0c-1");
  });

  it("to HEAD is that to GET without the body", async () => {
    const { call } = await testServer();
    const reply = await call("HEAD", "/v1/readyz");
    expect([reply.status, reply.text]).toEqual([200, ""]);
  });
});

describe("bodies", () => {
  const json = { "Content-Type": "application/json" };

  it("beyond the limit are refused, announced or not", async () => {
    const { call, url } = await testServer({}, [bytes]);
    const announced = await call("PUT", "/v1/bytes", { body: "x".repeat(101) });
    expect([announced.status, announced.json.code]).toEqual([413, "body_too_large"]);
    const chunk = `32\r\n${"x".repeat(50)}\r\n`;
    const heard = await overSocket(
      url,
      `PUT /v1/bytes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}`,
    );
    expect(heard).toMatch(/^HTTP\/1\.1 413 /);
    expect(heard).toContain("body_too_large");
  });

  it("that do not arrive in time are answered with 408, and the connection is closed", async () => {
    const { url } = await testServer({ bodyTimeout: 50 }, [bytes]);
    const heard = await overSocket(url, "PUT /v1/bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nfew");
    expect(heard).toMatch(/^HTTP\/1\.1 408 /);
    expect(heard.toLowerCase()).toContain("connection: close");
  });

  it.each([
    ["not json", "{", json, 400, "json_invalid"],
    ["not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), json, 400, "json_invalid"],
    ["too deep", "[".repeat(100_000), json, 400, "json_too_deep"],
    ["of another type", "{}", { "Content-Type": "text/plain" }, 415, "json_expected"],
    ["compressed", "{}", { ...json, "Content-Encoding": "gzip" }, 415, "encoding_not_supported"],
    ["missing", undefined, {}, 400, "invalid_request"],
  ] as const)("that are %s are refused", async (_, body, headers, status, code) => {
    const { call } = await testServer({}, [echo]);
    const reply = await call("POST", "/v1/echo/bob", { ...(body === undefined ? {} : { body }), headers });
    expect([reply.status, reply.json.code]).toEqual([status, code]);
  });
});

describe("what is not a request", () => {
  it("is answered with a problem: headers too large, and nonsense", async () => {
    const { url } = await testServer({ headerLimit: 2048 });
    const large = await overSocket(
      url,
      `GET /v1/healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(5000)}\r\n\r\n`,
    );
    expect(large).toMatch(/^HTTP\/1\.1 431 /);
    expect(await overSocket(url, "NONSENSE\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 [\s\S]*request_invalid/);
  });

  it("is cut off when its headers take too long", async () => {
    const { url } = await testServer({ headerTimeout: 60 });
    const heard = await overSocket(url, "GET /v1/healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    expect(heard).toMatch(/^HTTP\/1\.1 408 [\s\S]*request_too_slow/);
  });
});

describe("the OpenAPI document", () => {
  it("describes every route, with inputs, answers and scopes", async () => {
    const { call } = await testServer({}, [echo, bytes]);
    const { json } = await call("GET", "/v1/openapi.json");
    expect(json.openapi).toBe("3.1.0");
    expect(Object.keys(json.paths)).toEqual(
      expect.arrayContaining(["/v1/openapi.json", "/v1/tokens/{id}", "/v1/echo/{name}", "/metrics"]),
    );
    const operation = json.paths["/v1/echo/{name}"].post;
    expect(operation.parameters).toMatchObject([
      { name: "name", in: "path", required: true, schema: { type: "string", maxLength: 5 } },
      { name: "loud", in: "query", required: false },
    ]);
    expect(operation.requestBody.content["application/json"].schema.required).toEqual(["words"]);
    expect(json.paths["/v1/bytes"].put.requestBody.content).toHaveProperty("application/octet-stream");
    expect(json.paths["/v1/apps"].get.security).toEqual([{ token: ["admin"] }, { token: ["policy.write"] }]);
    expect(operation.responses.default.content).toHaveProperty("application/problem+json");
  });

  it("cannot be made of two routes at one address", async () => {
    await expect(testServer({}, [echo, { ...echo, path: "/v1/echo/{other}" }])).rejects.toThrow("two routes");
  });
});

describe("stopping", () => {
  it("finishes what runs, takes nothing more, and says so on the connection", async () => {
    let release: () => void = () => {};
    let entered: () => void = () => {};
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const slow = route({
      method: "GET",
      path: "/v1/slow",
      summary: "Waits",
      tag: "test",
      access: "public",
      responses: {},
      async handler() {
        entered();
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return { status: 200, body: { done: true } };
      },
    });
    const server = await testServer({}, [slow]);
    const running = server.call("GET", "/v1/slow");
    await inside;
    const closed = server.close();
    await expect(fetch(`${server.url}/v1/healthz`)).rejects.toThrow();
    release();
    const reply = await running;
    expect([reply.json, reply.headers.get("connection")]).toEqual([{ done: true }, "close"]);
    await closed;
  });

  it("cuts off what does not end by the deadline", async () => {
    let entered: () => void = () => {};
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const stuck = route({
      method: "GET",
      path: "/v1/stuck",
      summary: "Never ends",
      tag: "test",
      access: "public",
      responses: {},
      handler: () => {
        entered();
        return new Promise(() => {});
      },
    });
    const server = await testServer({ drainTimeout: 20 }, [stuck]);
    const running = expect(server.call("GET", "/v1/stuck")).rejects.toThrow();
    await inside;
    await server.close();
    await running;
  });
});

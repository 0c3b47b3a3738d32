import { describe, expect, it } from "vitest";
import { type ControlPlane, controlPlane, policyText } from "../../packages/server/test/control-plane.js";
import { ACCOUNT, APP, overSocket } from "../../packages/server/test/running-server.js";

const JSON_TYPE = { "Content-Type": "application/json" };

/** Every route that takes JSON, with a token that may use it. */
const JSON_ROUTES = [
  ["POST", "/v1/events/ingest", "runtime"],
  ["PUT", "/v1/policy/draft?app_name=shop", "developer"],
  ["POST", "/v1/policy/rollback?app_name=shop", "developer"],
  ["POST", "/v1/keys", "developer"],
  ["POST", "/v1/apps", "admin"],
  ["POST", "/v1/tokens", "admin"],
  ["POST", "/v1/signing-keys/rotate", "admin"],
] as const;

const ROUTES = [...JSON_ROUTES, ["POST", "/v1/policy/publish?app_name=shop", "developer"]] as const;

/** What is stored of the account. */
async function stateOf({ services: { storage, signing } }: ControlPlane): Promise<unknown> {
  return {
    apps: await storage.apps(ACCOUNT),
    versions: await storage.versions(APP, 10),
    draft: await storage.draft(APP),
    tokens: (await storage.tokens(ACCOUNT)).map(({ id }) => id),
    keys: await storage.uploaderKeys(ACCOUNT),
    signing: signing.keys().map(({ kid }) => kid),
    events: await storage.events({ accountId: ACCOUNT, order: "oldest", limit: 10 }),
  };
}

function errorsOf(server: ControlPlane): readonly string[] {
  return server.lines.filter((line) => line.includes('"level":50'));
}

describe.each(JSON_ROUTES)("%s %s", (method, path, kind) => {
  it.each([
    ["nested lists", "[".repeat(200_000)],
    ["nested objects", '{"a":'.repeat(100_000)],
    ["nested objects that end", `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`],
    ["a list in a known member", `{"events":${"[".repeat(500)}${"]".repeat(500)}}`],
    ["half a text", '{"name":"'],
    ["a number of many digits", `{"version":1${"0".repeat(100_000)}}`],
    ["an exponent", '{"version":1e400}'],
    ["a lone surrogate", '{"name":"\\ud800","text":"\\ud800","key_id":"\\ud800"}'],
    ["NUL", '{"name":"a\\u0000b","key_id":"\\u0000","kind":"\\u0000"}'],
    ["another kind of value", '"text"'],
    ["null", "null"],
    ["a byte order mark", "\ufeff{}x"],
    ["two values", "{}{}"],
    ["a list of many", `[${"0,".repeat(400_000)}0]`],
    ["many members", `{${Array.from({ length: 50_000 }, (_, at) => `"k${at}":0`).join(",")}}`],
  ])("refuses %s, and goes on as before", async (_, body) => {
    const server = await controlPlane();
    const before = await stateOf(server);
    const reply = await server.call(method, path, { token: server[kind], body, headers: JSON_TYPE });
    expect([400, 413, 422]).toContain(reply.status);
    expect(reply.headers.get("content-type")).toBe("application/problem+json");
    expect(reply.text.length).toBeLessThan(8_000);
    expect(await stateOf(server)).toEqual(before);
    expect(errorsOf(server)).toEqual([]);
  });

  it("takes no member from a prototype, and gives none to one", async () => {
    const server = await controlPlane();
    const inside =
      '{"immediate":true,"kind":"admin","name":"p","version":1,"text":"policies: []","events":[],"key_id":"ed_000000000000"}';
    for (const body of [
      `{"__proto__":${inside}}`,
      `{"constructor":{"prototype":${inside}}}`,
      `{"__proto__":{"__proto__":${inside}},"toString":1,"hasOwnProperty":1,"valueOf":null}`,
      `{"\\u005f_proto__":${inside}}`,
    ]) {
      const reply = await server.call(method, path, { token: server[kind], body, headers: JSON_TYPE });
      expect([body, reply.status]).toEqual([body, 400]);
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)["immediate"]).toBeUndefined();
    expect((await server.call("GET", "/v1/accounts/me", { token: server.runtime })).status).toBe(200);
    expect(errorsOf(server)).toEqual([]);
  });
});

describe.each(ROUTES)("%s %s", (method, path, kind) => {
  it("refuses what is announced as too large, before any of it came", async () => {
    const server = await controlPlane();
    const heard = await overSocket(
      server.url,
      `${method} ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${server[kind]}\r\nContent-Length: 99999999999\r\n\r\n`,
    );
    expect(heard).toMatch(/^HTTP\/1\.1 413 [\s\S]*\r\nconnection: close\r\n[\s\S]*body_too_large/i);
  });

  it("refuses what comes too slowly, and ends the connection", async () => {
    const server = await controlPlane({ bodyTimeout: 50 });
    const head = `${method} ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${server[kind]}\r\n`;
    for (const rest of ["Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"]) {
      expect(await overSocket(server.url, head + rest)).toMatch(/^HTTP\/1\.1 408 [\s\S]*body_too_slow/);
    }
    expect((await server.call("GET", "/v1/healthz")).status).toBe(200);
  });

  it("waits for no body of a stranger", async () => {
    const server = await controlPlane({ bodyTimeout: 60_000 });
    const heard = await overSocket(
      server.url,
      `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000000000\r\n\r\n{`,
    );
    expect(heard).toMatch(/^HTTP\/1\.1 401 /);
  });
});

describe("a policy", () => {
  const bomb = [
    "a: &a [x, x, x, x, x, x, x, x, x, x]",
    ...["b", "c", "d", "e", "f", "g", "h", "i"].map((name, at) => {
      const before = "abcdefgh"[at];
      return `${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(", ")}]`;
    }),
    "metadata: {name: shop}",
    "policies: *i",
  ].join("\n");

  it.each([
    ["aliases that multiply", bomb],
    ["an alias to itself", "metadata: {name: shop}\npolicies: &p [*p]\n"],
    ["nested lists", `metadata: {name: shop}\npolicies: ${"[".repeat(20_000)}${"]".repeat(20_000)}`],
    ["nested maps", `metadata: {name: shop}\npolicies: ${"{a: ".repeat(20_000)}`],
    ["nested blocks", Array.from({ length: 1_000 }, (_, at) => `${" ".repeat(at)}a:`).join("\n")],
    ["a tag", "metadata: {name: shop}\npolicies: !!js/function 'function () {}'\n"],
    ["keys of prototypes", '{"metadata":{"name":"shop"},"policies":[],"__proto__":{"policies":[1]}}'],
    ["a merge of a prototype", "metadata: {name: shop}\npolicies: []\n<<: {__proto__: {x: 1}}\n"],
    ["NUL", "metadata: {name: shop}\npolicies: [\0]\n"],
  ])("of %s is refused as a publish and kept harmless as a draft", async (_, text) => {
    const server = await controlPlane();
    await server.publish(policyText());
    const published = await server.publish(text);
    expect([400, 413, 422]).toContain(published.status);
    const token = server.developer;
    const kept = await server.call("PUT", "/v1/policy/draft?app_name=shop", { token, json: { text } });
    expect([200, 400, 413, 422]).toContain(kept.status);
    const draft = await server.call("GET", "/v1/policy/bundle?app_name=shop&stage=draft", { token });
    expect([200, 404]).toContain(draft.status);
    expect(draft.text.length).toBeLessThan(8 * 1024 * 1024);
    const bundle = await server.call("GET", "/v1/policy/bundle", { token: server.runtime });
    expect([bundle.status, bundle.json.version]).toEqual([200, 1]);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(errorsOf(server)).toEqual([]);
  });
});

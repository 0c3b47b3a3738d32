import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { ClientAddress, rateKey, trustedNetworks } from "../src/access/client-address.js";
import { RateLimit } from "../src/access/rate-limit.js";
import { TokenCache } from "../src/access/token-cache.js";
import { bearerToken, newTokenText, tokenDigest } from "../src/access/token-text.js";
import type { Change, Token } from "../src/storage/storage.js";
import { APP, testServer } from "./running-server.js";

const ME = "/v1/accounts/me";

describe("a token", () => {
  it("has 43 random characters, and is stored as the SHA-256 of its text only", async () => {
    const server = await testServer();
    const text = await server.token({ kind: "runtime" });
    expect(text).toMatch(/^d2r_[A-Za-z0-9_-]{43}$/);
    const [stored] = await server.services.storage.tokens("acc_aaaaaaaaaaaaaaaaaaaa");
    expect(stored?.digest).toBe(tokenDigest(text));
    expect(JSON.stringify(stored)).not.toContain(text);
  });

  it("opens what one of its scopes opens, and nothing else", async () => {
    const { call, token } = await testServer();
    const runtime = await token({ kind: "runtime" });
    expect((await call("GET", ME, { token: runtime })).status).toBe(200);
    const refused = await call("GET", "/v1/tokens", { token: runtime });
    expect([refused.status, refused.json.code]).toEqual([403, "insufficient_scope"]);
  });

  it.each([
    [{}, "token_missing"],
    [{ Authorization: "Basic abc" }, "token_invalid"],
    [{ Authorization: `Bearer ${newTokenText("admin", (count) => new Uint8Array(count))}` }, "token_invalid"],
    [{ Authorization: "Bearer d2r_' OR 1=1 --" }, "token_invalid"],
  ])("that is not there opens nothing: %j", async (headers, code) => {
    const { call } = await testServer();
    const reply = await call("GET", ME, { headers });
    expect([reply.status, reply.json.code]).toEqual([401, code]);
    expect(reply.headers.get("www-authenticate")).toContain("Bearer");
  });

  it("is of no use from the moment that its revocation is answered", async () => {
    const { call, token, services } = await testServer();
    const admin = await token({ kind: "admin" });
    const runtime = await token({ kind: "runtime" });
    const { json: me } = await call("GET", ME, { token: runtime });
    expect((await call("DELETE", `/v1/tokens/${me.token.id}`, { token: admin })).status).toBe(204);
    expect((await call("GET", ME, { token: runtime })).status).toBe(401);
    expect(services.metrics.authenticationFailures.value()).toBe(1);
  });

  it("is asked of the database once, however many requests it makes", async () => {
    const { call, token, services } = await testServer();
    const runtime = await token({ kind: "runtime" });
    const { storage } = services;
    let reads = 0;
    const read = storage.tokenByDigest;
    Object.assign(storage, {
      tokenByDigest: (digest: string) => {
        reads++;
        return read(digest);
      },
    });
    await Promise.all([1, 2, 3].map(() => call("GET", ME, { token: runtime })));
    await call("GET", ME, { token: runtime });
    expect(reads).toBe(1);
  });

  it("has its last use written when the server stops", async () => {
    const server = await testServer();
    const runtime = await server.token({ kind: "runtime" });
    await server.call("GET", ME, { token: runtime });
    const { storage } = server.services;
    const touched: [string, number][] = [];
    const touch = storage.touchTokens;
    Object.assign(storage, {
      touchTokens: (uses: ReadonlyMap<string, number>) => {
        touched.push(...uses);
        return touch(uses);
      },
    });
    await server.close();
    expect(touched).toEqual([[expect.stringMatching(/^tok_/), server.time.now]]);
  });

  it("is in no line of the log, and neither is the user's address line", async () => {
    const server = await testServer({ logLevel: "trace" });
    const runtime = await server.token({ kind: "runtime" });
    await server.call("GET", `${ME}?token=${runtime}`, { token: runtime });
    await server.call("GET", `/v1/nothing/${runtime}`, { token: runtime });
    const log = server.lines.join("");
    expect(log).not.toContain(runtime.slice(4));
    expect(JSON.parse(server.lines.find((line) => line.includes(ME)) ?? "{}")).toMatchObject({
      route: ME,
      status: 200,
      account: "acc_aaaaaaaaaaaaaaaaaaaa",
      app: APP,
      ms: expect.any(Number),
      requestId: expect.any(String),
    });
  });
});

describe("the token cache", () => {
  const token = (revokedAt: number | null): Token => ({
    id: "tok_a",
    accountId: "acc_a",
    kind: "runtime",
    scopes: ["policy.read"],
    appId: APP,
    name: "",
    digest: tokenDigest("a"),
    createdAt: 0,
    lastUsedAt: null,
    revokedAt,
  });

  it("reads again what was revoked while it was being read", async () => {
    let tell: (change: Change) => void = () => {};
    const answers = [token(null), token(5)];
    const cache = new TokenCache({
      watch: (listener) => {
        tell = listener;
        return () => {};
      },
      tokenByDigest: async () => answers.shift(),
    });
    const reading = cache.read(tokenDigest("a"));
    tell({ kind: "token", id: "tok_a" });
    expect((await reading)?.revokedAt).toBe(5);
    expect(cache.known(tokenDigest("a"))).toBeUndefined();
  });

  it("keeps no token that does not exist, and not more than its limit", async () => {
    const stored = (name: string) => ({ ...token(null), id: name, digest: tokenDigest(name) });
    const cache = new TokenCache(
      {
        watch: () => () => {},
        tokenByDigest: async (digest) => ["a", "b"].map(stored).find((it) => it.digest === digest),
      },
      1,
    );
    expect(await cache.read(tokenDigest("nobody"))).toBeUndefined();
    await cache.read(tokenDigest("a"));
    await cache.read(tokenDigest("b"));
    expect(["a", "b"].map((name) => cache.known(tokenDigest(name))?.id)).toEqual([undefined, "b"]);
  });
});

describe("rates", () => {
  it("are limited by token, with the time to wait", async () => {
    let now = 0;
    const { call, token } = await testServer({ rateByToken: 1 }, [], { monotonic: () => now });
    const [one, other] = [await token({ kind: "runtime" }), await token({ kind: "runtime" })];
    const statuses = [];
    for (const it of [one, one, one, other]) statuses.push((await call("GET", ME, { token: it })).status);
    expect(statuses).toEqual([200, 200, 429, 200]);
    const refused = await call("GET", ME, { token: one });
    expect([refused.headers.get("retry-after"), refused.json.code]).toEqual(["1", "rate_limited"]);
    now += 1000;
    expect((await call("GET", ME, { token: one })).status).toBe(200);
  });

  it("are limited by address, also where nothing is", async () => {
    const { call } = await testServer({ rateByAddress: 1 }, [], { monotonic: () => 0 });
    const statuses = [];
    for (const path of ["/v1/healthz", "/v1/nothing", "/v1/nothing"])
      statuses.push((await call("GET", path)).status);
    expect(statuses).toEqual([200, 404, 429]);
  });

  it("of failed authentications lock out who guesses, not who is known", async () => {
    const { call, token, services } = await testServer({ failedAuthentications: 2 }, [], {
      monotonic: () => 0,
    });
    const known = await token({ kind: "runtime" });
    await call("GET", ME, { token: known });
    const guess = () => call("GET", ME, { token: newTokenText("admin", services.randomBytes) });
    const statuses = [await guess(), await guess(), await guess()].map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 429]);
    expect((await call("GET", ME, { token: known })).status).toBe(200);
    // Whether a guess was right is not told any more.
    expect((await call("GET", ME, { token: await token({ kind: "admin" }) })).status).toBe(429);
  });

  it("are kept in bounded memory, and who has waited is forgotten first", () => {
    let now = 0;
    const limit = new RateLimit({ perSecond: 1, burst: 2, monotonic: () => now, limit: 2 });
    limit.take("a");
    now = 5000;
    limit.take("b");
    limit.take("b");
    limit.take("c");
    expect([limit.size, limit.take("b")]).toEqual([2, 1000]);
  });
});

describe("the caller's address", () => {
  const heard = async (trusted: readonly string[], forwarded: string) => {
    const addresses = new ClientAddress(trusted);
    const server = createServer((incoming, outgoing) => outgoing.end(addresses.of(incoming)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    const response = await fetch(`http://127.0.0.1:${port}`, { headers: { "X-Forwarded-For": forwarded } });
    const text = await response.text();
    server.closeAllConnections();
    server.close();
    return text;
  };

  it.each([
    [[], "9.9.9.9", "127.0.0.1"],
    [["127.0.0.0/8"], "9.9.9.9", "9.9.9.9"],
    [["127.0.0.1", "10.0.0.0/8"], "6.6.6.6, 9.9.9.9, 10.1.2.3", "9.9.9.9"],
    [["127.0.0.1"], "9.9.9.9, nonsense", "127.0.0.1"],
    [["127.0.0.1"], "::ffff:9.9.9.9", "9.9.9.9"],
    [["127.0.0.1", "fd00::/8"], "2001:db8::7, fd00::1", "2001:db8::7"],
  ])("with the proxies %j and %j is %s", async (trusted, forwarded, expected) => {
    expect(await heard(trusted, forwarded)).toBe(expected);
  });

  it("counts as its network in IPv6", () => {
    expect(["10.0.0.1", "2001:db8:1:2:3::4", "2001:db8::1", "::1"].map(rateKey)).toEqual([
      "10.0.0.1",
      "2001:db8:1:2::/64",
      "2001:db8:0:0::/64",
      "0:0:0:0::/64",
    ]);
  });

  it("is not looked for behind what is no network", () => {
    for (const entry of ["10.0.0.0/33", "proxy.local", "10.0.0.0/8/9", "10.0.0.0/"]) {
      expect(() => trustedNetworks([entry])).toThrow("trusted proxies");
    }
  });
});

it("a bearer token is taken in any spelling of the scheme, and only whole", () => {
  const text = newTokenText("developer", (count) => new Uint8Array(count).fill(7));
  expect([`Bearer ${text}`, `bearer  ${text}`].map(bearerToken)).toEqual([text, text]);
  expect([`Bearer ${text}x`, text, `Bearer ${text} ${text}`, "Bearer "].map(bearerToken)).toEqual(
    [0, 1, 2, 3].map(() => undefined),
  );
});

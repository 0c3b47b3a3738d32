import { loadPolicy } from "d2-policy";
import { describe, expect, it, vi } from "vitest";
import { AccountPlans } from "../src/admin/account-plans.js";
import { BundleCache } from "../src/bundles/bundle-cache.js";
import { periodAt } from "../src/bundles/bundle-payload.js";
import { entityTags, matchesNone } from "../src/bundles/entity-tags.js";
import { policyJson } from "../src/bundles/policy-json.js";
import {
  ACCOUNT,
  APP,
  controlPlane,
  policyText,
  SERVER_KEY,
  verified,
  watchedStorage,
} from "./control-plane.js";
import { databaseKinds, testDatabases } from "./databases.js";

const DAY = 86_400;
const BUNDLE = "/v1/policy/bundle";

describe("a bundle", () => {
  it("is signed by a listed key and says what was published, for whom and until when", async () => {
    const server = await controlPlane();
    await server.publish(policyText());
    const reply = await server.call("GET", BUNDLE, { token: server.runtime });
    expect(reply.status).toBe(200);
    expect(Object.keys(reply.json)).toEqual(["jws", "version", "etag", "metadata"]);
    expect(reply.json).toMatchObject({ version: 1, metadata: { name: "shop" } });
    expect(reply.headers.get("etag")).toBe(reply.json.etag);
    expect(reply.headers.get("x-d2-poll-seconds")).toBe("60");
    const { header, payload } = await verified(server, reply.json.jws);
    expect(header).toEqual({ alg: "EdDSA", kid: expect.any(String) });
    const now = server.time.now / 1000;
    const { from } = periodAt(server.time.now, 7 * DAY);
    expect(payload).toEqual({
      iss: "d2-server",
      aud: `d2-policy:${ACCOUNT}:shop`,
      iat: now,
      exp: from / 1000 + 7 * DAY,
      version: 1,
      policy_digest: loadPolicy(policyText(), { now: 0 }).digest,
      metadata: { name: "shop" },
      policies: [{ role: "clerk", permissions: ["orders.read"] }],
    });
    const { metadata, policies, policy_digest: digest } = payload;
    expect(loadPolicy({ metadata, policies }, { now: 0 }).digest).toBe(digest);
  });

  it("is RS256 by default, for the public client", async () => {
    const server = await controlPlane({ signingAlgorithm: "RS256" });
    await server.publish(policyText());
    const { json } = await server.call("GET", BUNDLE, { token: server.runtime });
    const { header } = await verified(server, json.jws);
    expect(header.alg).toBe("RS256");
    const keys = await server.call("GET", "/.well-known/jwks.json");
    expect(keys.headers.get("cache-control")).toBe("public, max-age=60");
    expect(keys.json.keys).toEqual([
      { kty: "RSA", n: expect.any(String), e: "AQAB", kid: header.kid, alg: "RS256", use: "sig" },
    ]);
  });

  it("is answered with 304 from memory, without a look into the database", async () => {
    const { storage, calls } = await watchedStorage();
    const server = await controlPlane({}, { storage });
    await server.publish(policyText());
    const { headers } = await server.call("GET", BUNDLE, { token: server.runtime });
    const etag = headers.get("etag") ?? "";
    await vi.waitFor(() => expect(calls).toContain("watch"));
    calls.length = 0;
    for (const given of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const reply = await server.call("GET", BUNDLE, {
        token: server.runtime,
        headers: { "If-None-Match": given },
      });
      expect([reply.status, reply.text, reply.headers.get("etag")]).toEqual([304, "", etag]);
      expect(reply.headers.get("x-d2-poll-seconds")).toBe("60");
    }
    expect(calls).toEqual([]);
  });

  it("is whole again for whoever has another", async () => {
    const server = await controlPlane();
    await server.publish(policyText());
    const { json } = await server.call("GET", BUNDLE, { token: server.runtime });
    await server.publish(policyText("orders.write"));
    const headers = { "If-None-Match": json.etag };
    const next = await server.call("GET", BUNDLE, { token: server.runtime, headers });
    expect(next.status).toBe(200);
    expect(next.json.version).toBe(2);
  });

  it("is signed anew in its next period, from memory, and never runs out", async () => {
    const { storage, calls } = await watchedStorage();
    const server = await controlPlane({ bundleLifetimeSeconds: 1000 }, { storage });
    await server.publish(policyText());
    const first = await server.call("GET", BUNDLE, { token: server.runtime });
    const headers = { "If-None-Match": first.json.etag };
    server.time.now = periodAt(server.time.now, 1000).until - 1;
    expect((await server.call("GET", BUNDLE, { token: server.runtime, headers })).status).toBe(304);
    server.time.now += 1;
    calls.length = 0;
    const next = await server.call("GET", BUNDLE, { token: server.runtime, headers });
    expect(calls).toEqual([]);
    expect(next.status).toBe(200);
    const { payload } = await verified(server, next.json.jws);
    expect(payload).toMatchObject({ version: 1, iat: server.time.now / 1000 });
    expect(payload.exp).toBe(server.time.now / 1000 + 1000);
  });

  it("has no end where the settings say so", async () => {
    const server = await controlPlane({ bundleLifetimeSeconds: 0 });
    await server.publish(policyText());
    const { json } = await server.call("GET", BUNDLE, { token: server.runtime });
    const { payload } = await verified(server, json.jws);
    expect(payload).not.toHaveProperty("exp");
    expect(payload.iat).toBe(server.time.now / 1000);
  });

  it("is 404 before anything was published, and 410 once it was revoked", async () => {
    const server = await controlPlane();
    const none = await server.call("GET", BUNDLE, { token: server.runtime });
    expect([none.status, none.json.code, none.headers.get("x-d2-poll-seconds")]).toEqual([
      404,
      "policy_not_found",
      "60",
    ]);
    await server.publish(policyText());
    await server.call("POST", "/v1/policy/revoke?app_name=shop", { token: server.developer });
    const gone = await server.call("GET", BUNDLE, { token: server.runtime });
    expect([gone.status, gone.json.code, gone.json.error]).toEqual([410, "policy_revoked", "policy_revoked"]);
    await server.publish(policyText());
    expect((await server.call("GET", BUNDLE, { token: server.runtime })).json.version).toBe(2);
  });

  it("must be asked for by the app's name with a token that is not bound to one", async () => {
    const server = await controlPlane();
    await server.publish(policyText());
    const without = await server.call("GET", BUNDLE, { token: server.developer });
    expect([without.status, without.json.detail]).toEqual([404, "app_name required for non-server tokens"]);
    const withName = await server.call("GET", `${BUNDLE}?app_name=shop`, { token: server.developer });
    expect(withName.status).toBe(200);
    const headers = { "If-None-Match": withName.json.etag };
    const again = await server.call("GET", `${BUNDLE}?app_name=shop`, { token: server.developer, headers });
    expect(again.status).toBe(304);
    for (const token of [server.developer, server.runtime]) {
      const other = await server.call("GET", `${BUNDLE}?app_name=bank`, { token });
      expect([other.status, other.json.code]).toEqual([404, "app_not_found"]);
    }
  });

  it("says how often to ask as the account's plan has it", async () => {
    const server = await controlPlane({ plans: { default: { poll_seconds: 5 } } });
    await server.publish(policyText());
    const reply = await server.call("GET", BUNDLE, { token: server.runtime });
    expect(reply.headers.get("x-d2-poll-seconds")).toBe("5");
  });
});

describe("a draft", () => {
  it("is for tools, and stands for the bundle where `auto` is asked", async () => {
    const server = await controlPlane();
    const ask = (stage: string, token = server.developer) =>
      server.call("GET", `${BUNDLE}?app_name=shop&stage=${stage}`, { token });
    expect((await ask("draft")).json.code).toBe("draft_not_found");
    await server.publish(policyText());
    expect((await ask("auto")).json.version).toBe(1);
    const bundle = { metadata: { name: "shop" }, policies: [{ role: "clerk", permissions: ["a", "a b"] }] };
    const kept = await server.call("PUT", "/v1/policy/draft", { token: server.developer, json: { bundle } });
    expect([kept.status, kept.json.valid, kept.json.version]).toEqual([200, false, 1]);
    expect(kept.json.diagnostics).toMatchObject([{ severity: "error", line: expect.any(Number) }]);
    for (const stage of ["draft", "auto"]) {
      const draft = await ask(stage);
      expect(draft.json.bundle).toEqual(bundle);
      expect(draft.json.diagnostics).toEqual(kept.json.diagnostics);
    }
    expect((await ask("auto", server.runtime)).json.version).toBe(1);
    expect((await ask("draft", server.runtime)).json.code).toBe("token_kind");
    await server.publish(policyText());
    expect((await ask("draft")).json.code).toBe("draft_not_found");
  });

  it("may be a text that cannot be read, or edit an older version", async () => {
    const server = await controlPlane();
    await server.publish(policyText());
    await server.publish(policyText());
    const put = (json: object) =>
      server.call("PUT", "/v1/policy/draft?app_name=shop", { token: server.developer, json });
    const kept = await put({ text: "policies: [", version: 1 });
    expect([kept.status, kept.json.valid, kept.json.version]).toEqual([200, false, 1]);
    const { json } = await server.call("GET", `${BUNDLE}?app_name=shop&stage=draft`, {
      token: server.developer,
    });
    expect(json).toMatchObject({ bundle: null, text: "policies: [", format: "yaml", version: 1 });
    expect((await put({ text: "a: 1", version: 3 })).json.code).toBe("version_not_found");
    expect((await put({ text: policyText("a", "bank") })).json.code).toBe("draft_name");
  });
});

describe("two servers on one database", () => {
  const databases = testDatabases();

  it.each(databaseKinds)("sign the same bytes, and hear of each other's publishing (%s)", async (kind) => {
    const { url, file } = await databases.fresh(kind);
    const settings = { databaseUrl: url, databaseFile: file, serverKey: SERVER_KEY };
    const one = await controlPlane(settings);
    const other = await controlPlane(settings);
    const ask = async (server: typeof one) => (await server.call("GET", BUNDLE, { token: one.runtime })).json;
    expect((await ask(other)).code).toBe("policy_not_found");
    await one.publish(policyText());
    const bundle = await ask(one);
    await vi.waitFor(async () => expect(await ask(other)).toEqual(bundle), { timeout: 5000, interval: 20 });
    await other.call("POST", "/v1/policy/revoke?app_name=shop", { token: one.developer });
    expect((await ask(other)).status).toBe(410);
    await vi.waitFor(async () => expect((await ask(one)).status).toBe(410), { timeout: 5000, interval: 20 });
  });
});

describe("the memory for bundles", () => {
  it("is bounded; what answers 304 stays", async () => {
    const server = await controlPlane();
    await server.publish(policyText());
    const { services } = server;
    const other = "app_cccccccccccccccccccc";
    await services.storage.createApp({
      id: other,
      accountId: ACCOUNT,
      name: "other",
      createdAt: 0,
      currentVersion: 0,
      revokedAt: null,
    });
    await server.publish(policyText("orders.read", "other"), { app: "other" });
    const plans = new AccountPlans(services);
    const cache = new BundleCache(services, plans, { characters: 1000 });
    const first = await cache.read(ACCOUNT, APP);
    expect(first).toMatchObject({ state: "published", whole: { status: 200 } });
    await cache.read(ACCOUNT, other);
    expect(cache.known(APP)).toMatchObject({ unchanged: { status: 304 }, whole: undefined });
    expect(cache.characters).toBeLessThanOrEqual(1000);
    expect(await cache.read(ACCOUNT, APP)).toEqual(first);
    cache.close();
    plans.close();
  });

  it("never keeps what was read before a change was heard of", async () => {
    const server = await controlPlane();
    await server.publish(policyText());
    const { services } = server;
    const plans = new AccountPlans(services);
    const cache = new BundleCache(services, plans);
    const reading = cache.read(ACCOUNT, APP);
    cache.forget(APP);
    await reading;
    expect(cache.known(APP)).toBeUndefined();
    cache.close();
    plans.close();
  });
});

describe("entity tags", () => {
  it("are read as lists, and weak ones count only where they may", () => {
    expect(entityTags(' "a" , W/"b,c" ', true)).toEqual(['"a"', '"b,c"']);
    expect(entityTags('"a", W/"b"', false)).toEqual(['"a"']);
    expect(entityTags("*", false)).toBe("*");
    expect(entityTags("a", true)).toBeUndefined();
    expect(matchesNone("nonsense", '"a"')).toBe(false);
    expect(matchesNone(undefined, '"a"')).toBe(false);
  });
});

describe("the JSON of a policy", () => {
  it("keeps the order of keys and names such as `__proto__`", () => {
    const json = policyJson('metadata: {name: a, b: 1}\npolicies: [{"2": x, "1": y, __proto__: z}]', "yaml");
    expect(json).toEqual({
      metadata: '{"name":"a","b":1}',
      policies: '[{"2":"x","1":"y","__proto__":"z"}]',
    });
  });
});

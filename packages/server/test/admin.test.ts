import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { keyId } from "../src/admin/key-id.js";
import { APP, OTHER_ACCOUNT, OTHER_APP, testServer } from "./running-server.js";

describe("GET /v1/accounts/me", () => {
  it("tells account, plan, quotas and the token's app, with the protocol's defaults", async () => {
    const { call, token } = await testServer();
    expect((await call("GET", "/v1/accounts/me", { token: await token({ kind: "runtime" }) })).json).toEqual({
      account_id: "acc_aaaaaaaaaaaaaaaaaaaa",
      name: "shop",
      plan: "default",
      poll_seconds: 60,
      quotas: { max_tools: 1_000_000, event_batch: 1000, ingest_interval: 60 },
      app: { id: APP, name: "shop" },
      token: {
        id: expect.stringMatching(/^tok_[a-z2-7]{20}$/),
        kind: "runtime",
        scopes: ["policy.read", "events.write"],
      },
    });
  });

  it("tells the limits of a plan that has some", async () => {
    const plans = {
      default: { max_tools: 25, poll_seconds: 5, ingest_interval: 10, event_sample: { policy_poll: 0.5 } },
    };
    const { call, token } = await testServer({ plans });
    expect(
      (await call("GET", "/v1/accounts/me", { token: await token({ kind: "admin" }) })).json,
    ).toMatchObject({
      poll_seconds: 5,
      quotas: { max_tools: 25, event_batch: 1000, ingest_interval: 10 },
      event_sample: { policy_poll: 0.5 },
      app: null,
    });
  });
});

describe("apps", () => {
  it("are made by an admin, listed by name, and unique in their account", async () => {
    const { call, token } = await testServer();
    const admin = await token({ kind: "admin" });
    const made = await call("POST", "/v1/apps", { token: admin, json: { name: "a.new-app_1" } });
    expect([made.status, made.json]).toEqual([
      201,
      {
        id: expect.stringMatching(/^app_[a-z2-7]{20}$/),
        name: "a.new-app_1",
        created_at: "2030-01-01T00:00:00.000Z",
        current_version: 0,
        revoked_at: null,
      },
    ]);
    const again = await call("POST", "/v1/apps", { token: admin, json: { name: "a.new-app_1" } });
    expect([again.status, again.json.code]).toEqual([409, "app_exists"]);
    // The other account's name is free here.
    expect((await call("POST", "/v1/apps", { token: admin, json: { name: "bank" } })).status).toBe(201);
    const { json } = await call("GET", "/v1/apps", { token: await token({ kind: "developer" }) });
    expect(json.apps.map(({ name }: { name: string }) => name)).toEqual(["a.new-app_1", "bank", "shop"]);
  });

  it.each(["", "a b", "a/b", "é", "x".repeat(129)])("cannot be called %j", async (name) => {
    const { call, token } = await testServer();
    expect(
      (await call("POST", "/v1/apps", { token: await token({ kind: "admin" }), json: { name } })).status,
    ).toBe(400);
  });

  it("are as many as the plan has room for, however many ask at once", async () => {
    const { call, token } = await testServer({ plans: { default: { max_apps: 3 } } });
    const admin = await token({ kind: "admin" });
    const replies = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => call("POST", "/v1/apps", { token: admin, json: { name: `app-${n}` } })),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 201, 403, 403, 403]);
    const refused = replies.find(({ status }) => status === 403);
    expect(refused?.json).toMatchObject({ code: "quota_apps_exceeded", error: "quota_apps_exceeded" });
    expect(refused?.json.detail).toContain("quota_apps_exceeded");
  });
});

describe("tokens", () => {
  it("are shown once, work, and are listed without text or digest", async () => {
    const { call, token } = await testServer();
    const admin = await token({ kind: "admin" });
    const json = { kind: "runtime", app_name: "shop", name: "production" };
    const made = await call("POST", "/v1/tokens", { token: admin, json });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ kind: "runtime", app_id: APP, name: "production", last_used_at: null });
    expect((await call("GET", "/v1/accounts/me", { token: made.json.token })).status).toBe(200);
    const listed = await call("GET", "/v1/tokens", { token: admin });
    expect(listed.json.tokens).toHaveLength(2);
    expect(listed.text).not.toContain(made.json.token.slice(4));
    expect(listed.text).not.toContain("digest");
  });

  it.each([
    [{ kind: "runtime" }, 422, "token_app"],
    [{ kind: "developer", app_name: "shop" }, 422, "token_app"],
    [{ kind: "runtime", app_name: "bank" }, 404, "app_not_found"],
    [{ kind: "runtime", app_name: "shop", scopes: ["admin"] }, 422, "token_scopes"],
    [{ kind: "developer", scopes: ["policy.read", "admin"] }, 422, "token_scopes"],
    [{ kind: "admin", scopes: ["policy.write"] }, 422, "token_scopes"],
    [{ kind: "root" }, 400, "invalid_request"],
    [{ kind: "developer", extra: 1 }, 400, "invalid_request"],
  ])("of %j are refused", async (json, status, code) => {
    const { call, token } = await testServer();
    const reply = await call("POST", "/v1/tokens", { token: await token({ kind: "admin" }), json });
    expect([reply.status, reply.json.code]).toEqual([status, code]);
  });

  it("of another account do not exist", async () => {
    const { call, token } = await testServer();
    const theirs = await token({ kind: "admin", accountId: OTHER_ACCOUNT });
    const { json } = await call("GET", "/v1/accounts/me", { token: theirs });
    const reply = await call("DELETE", `/v1/tokens/${json.token.id}`, {
      token: await token({ kind: "admin" }),
    });
    expect([reply.status, reply.json.code]).toEqual([404, "token_not_found"]);
    expect((await call("GET", "/v1/tokens", { token: theirs })).json.tokens).toHaveLength(1);
  });

  it("revoked twice are gone the second time", async () => {
    const { call, token } = await testServer();
    const admin = await token({ kind: "admin" });
    const { json } = await call("POST", "/v1/tokens", { token: admin, json: { kind: "developer" } });
    const revoke = () => call("DELETE", `/v1/tokens/${json.id}`, { token: admin });
    expect([(await revoke()).status, (await revoke()).status]).toEqual([204, 404]);
  });
});

describe("publishing keys", () => {
  const newKey = () => {
    const der = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "der" });
    const raw = der.subarray(-32);
    return { key_id: keyId(raw), public_key: raw.toString("base64") };
  };

  it("have the id that `hashlib.blake2s(raw, digest_size=6)` gives", () => {
    expect(keyId(new Uint8Array(32))).toBe("ed_65eeddb02509");
    expect(keyId(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe("ed_7f294b81029d");
  });

  it("are registered once, known the second time, and taken for good when revoked", async () => {
    const { call, token } = await testServer();
    const [developer, admin] = [await token({ kind: "developer" }), await token({ kind: "admin" })];
    const json = newKey();
    const register = async () => (await call("POST", "/v1/keys", { token: developer, json })).status;
    expect([await register(), await register()]).toEqual([201, 200]);
    const listed = await call("GET", "/v1/keys", { token: developer });
    expect(listed.json.keys).toEqual([{ ...json, created_at: "2030-01-01T00:00:00.000Z", revoked_at: null }]);
    const revoke = async (by: string) =>
      (await call("DELETE", `/v1/keys/${json.key_id}`, { token: by })).status;
    expect([await revoke(developer), await revoke(admin), await revoke(admin)]).toEqual([403, 204, 404]);
    expect(await register()).toBe(409);
    // Another account is not concerned.
    const theirs = await token({ kind: "developer", accountId: OTHER_ACCOUNT });
    expect((await call("POST", "/v1/keys", { token: theirs, json })).status).toBe(201);
  });

  it.each([
    [{ ...newKey(), key_id: "ed_000000000000" }, 422, "key_id_mismatch"],
    [{ ...newKey(), public_key: "A".repeat(44) }, 422, "key_invalid"],
    [{ ...newKey(), public_key: "short" }, 400, "invalid_request"],
    [{ ...newKey(), key_id: "ed_'; drop" }, 400, "invalid_request"],
  ])("that do not fit are refused: case %#", async (json, status, code) => {
    const { call, token } = await testServer();
    const reply = await call("POST", "/v1/keys", { token: await token({ kind: "developer" }), json });
    expect([reply.status, reply.json.code]).toEqual([status, code]);
  });
});

describe("signing keys", () => {
  it("are listed without their private parts", async () => {
    const { call, token } = await testServer();
    const reply = await call("GET", "/v1/signing-keys", { token: await token({ kind: "admin" }) });
    expect(reply.json.keys).toMatchObject([{ kid: "first", state: "signing", alg: "RS256", rotation: null }]);
    expect(reply.text).not.toContain("c2VjcmV0");
  });

  it("are rotated by an admin, as asked", async () => {
    const { call, token, rotations } = await testServer();
    const admin = await token({ kind: "admin" });
    expect((await call("POST", "/v1/signing-keys/rotate", { token: admin })).status).toBe(201);
    const json = { immediate: true, alg: "EdDSA", reason: "a laptop was lost" };
    const reply = await call("POST", "/v1/signing-keys/rotate", { token: admin, json });
    expect(reply.json).toMatchObject({ kid: "second", alg: "EdDSA" });
    expect(rotations).toEqual([{ immediate: false }, json]);
    expect(
      (await call("POST", "/v1/signing-keys/rotate", { token: await token({ kind: "developer" }) })).status,
    ).toBe(403);
  });

  it("are not rotated by another account than the first, for they sign for all", async () => {
    const { call, token, rotations } = await testServer();
    const foreign = await token({ kind: "admin", accountId: OTHER_ACCOUNT });
    const reply = await call("POST", "/v1/signing-keys/rotate", { token: foreign });
    expect([reply.status, reply.json.code]).toEqual([403, "operator_only"]);
    expect(rotations).toEqual([]);
  });
});

describe("health and metrics", () => {
  it("is ready when database and signing key are", async () => {
    const server = await testServer();
    expect((await server.call("GET", "/v1/healthz")).json).toEqual({ status: "ok" });
    expect((await server.call("GET", "/v1/readyz")).json).toEqual({
      status: "ready",
      checks: { database: true, signing_key: true, accepting: true },
    });
    Object.assign(server.services.storage, { ready: async () => false });
    const reply = await server.call("GET", "/v1/readyz");
    expect([reply.status, reply.json.code, reply.json.checks.database]).toEqual([503, "not_ready", false]);
    expect((await server.call("GET", "/v1/healthz")).status).toBe(200);
  });

  it("are counted by route pattern and status, for anybody to read", async () => {
    const { call, token } = await testServer();
    await call("GET", "/v1/accounts/me", { token: await token({ kind: "runtime" }) });
    await call("DELETE", "/v1/tokens/tok_secret");
    await call("GET", "/v1/anything/secret");
    const reply = await call("GET", "/metrics");
    expect(reply.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(reply.text).toContain('d2_http_requests_total{route="/v1/accounts/me",status="200"} 1\n');
    expect(reply.text).toContain('d2_http_requests_total{route="/v1/tokens/{id}",status="401"} 1\n');
    expect(reply.text).toContain('d2_http_requests_total{route="none",status="404"} 1\n');
    expect(reply.text).toContain('d2_http_request_seconds_bucket{route="/v1/accounts/me",le="+Inf"} 1\n');
    expect(reply.text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(reply.text).not.toContain("secret");
  });

  it("can be bound to a scope", async () => {
    const { call, token } = await testServer({ metricsNeedToken: true });
    expect((await call("GET", "/metrics")).status).toBe(401);
    expect((await call("GET", "/metrics", { token: await token({ kind: "runtime" }) })).status).toBe(403);
    expect((await call("GET", "/metrics", { token: await token({ kind: "admin" }) })).status).toBe(200);
  });
});

it("no route of an account shows anything of another one", async () => {
  const { call, token } = await testServer();
  const admin = await token({ kind: "admin" });
  const developer = await token({ kind: "developer" });
  await token({ kind: "developer", accountId: OTHER_ACCOUNT, name: "their-token" });
  for (const reader of [admin, developer, await token({ kind: "runtime" })]) {
    for (const path of ["/v1/accounts/me", "/v1/apps", "/v1/tokens", "/v1/keys"]) {
      const { text } = await call("GET", path, { token: reader });
      for (const word of [OTHER_ACCOUNT, OTHER_APP, "bank", "their-token"]) expect(text).not.toContain(word);
    }
  }
});

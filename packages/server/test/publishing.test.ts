import { createHash } from "node:crypto";
import { loadPolicy } from "d2-policy";
import { describe, expect, it } from "vitest";
import { controlPlane, newUploader, policyText, SERVER_KEY, statementHeaders } from "./control-plane.js";
import { databaseKinds, testDatabases } from "./databases.js";
import { ACCOUNT } from "./running-server.js";

const databases = testDatabases();

describe("publishing", () => {
  it("stores the text to the byte as the next version, as the public client sends it", async () => {
    const server = await controlPlane();
    const text = `\ufeff${policyText()}# \u00e9 \u{1f512}\r\n`;
    const reply = await server.publish(text);
    expect(reply.status).toBe(201);
    expect(reply.json).toMatchObject({
      version: 1,
      app_name: "shop",
      format: "yaml",
      policy_digest: loadPolicy(text, { now: 0 }).digest,
      content_sha256: createHash("sha256").update(text).digest("hex"),
      key_id: server.uploader.keyId,
      rollback_of: null,
      diagnostics: [],
    });
    const bundle = await server.call("GET", "/v1/policy/bundle", { token: server.runtime });
    expect(reply.headers.get("etag")).toBe(bundle.headers.get("etag"));
    const stored = await server.call("GET", "/v1/policy/versions/1?app_name=shop", {
      token: server.developer,
    });
    expect(stored.json.text).toBe(text);
    const json = JSON.stringify({ metadata: { name: "shop" }, policies: [] });
    expect((await server.publish(json)).json).toMatchObject({ version: 2, format: "json" });
  });

  it("registers the key over HTTP first, as the public client does", async () => {
    const server = await controlPlane();
    const uploader = newUploader();
    const { keyId: key_id, publicKey: public_key } = uploader;
    expect((await server.publish(policyText(), { uploader })).json.code).toBe("key_unknown");
    const registered = await server.call("POST", "/v1/keys", {
      token: server.developer,
      json: { key_id, public_key },
    });
    expect(registered.status).toBe(201);
    expect((await server.publish(policyText(), { uploader })).status).toBe(201);
  });

  it("makes the app on its first policy, within what the plan has room for", async () => {
    const server = await controlPlane({ plans: { default: { max_apps: 2 } } });
    const first = await server.publish(policyText("a", "second.app"), { app: "second.app" });
    expect([first.status, first.json.version]).toEqual([201, 1]);
    const beyond = await server.publish(policyText("a", "third"), { app: "third" });
    expect([beyond.status, beyond.json.code]).toEqual([403, "quota_apps_exceeded"]);
    expect(beyond.json.detail).toContain("quota_apps_exceeded");
    expect((await server.services.storage.apps(ACCOUNT)).map(({ name }) => name)).toEqual([
      "second.app",
      "shop",
    ]);
  });

  it("makes one app where several publish its first policy at once", async () => {
    const server = await controlPlane();
    const text = policyText("a", "new");
    const replies = await Promise.all([1, 2, 3, 4].map(() => server.publish(text, { app: "new" })));
    expect(replies.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(replies.map(({ json }) => json.version).sort()).toEqual([1, 2, 3, 4]);
  });

  it("refuses a policy with errors, with its diagnostics, and stores nothing", async () => {
    const server = await controlPlane();
    const reply = await server.publish(
      "metadata: {name: shop}\npolicies:\n  - role: clerk\n    permissions: [a b]\n",
    );
    expect([reply.status, reply.json.code]).toEqual([422, "policy_invalid"]);
    expect(reply.json.diagnostics).toMatchObject([{ severity: "error", line: 4 }]);
    const expired = await server.publish(`metadata: {name: shop, expires: 2020-01-01}\npolicies: []\n`);
    expect(expired.json.diagnostics).toMatchObject([{ severity: "error", path: "metadata.expires" }]);
    const latin = await server.call("POST", "/v1/policy/publish?app_name=shop&dry_run=1", {
      token: server.developer,
      body: new Uint8Array([0xff, 0xfe]),
    });
    expect([latin.status, latin.json.code]).toEqual([422, "policy_not_utf8"]);
    expect((await server.services.storage.apps(ACCOUNT))[0]?.currentVersion).toBe(0);
  });

  it("refuses a policy whose meaning would not survive the bundle", async () => {
    const server = await controlPlane();
    const reply = await server.publish(
      `metadata: {name: shop}\npolicies:\n  - role: clerk\n    permissions:\n      - tool: a\n        conditions:\n          output:\n            b: {action: filter}\n            "1": {action: filter}\n`,
    );
    expect(reply.json.diagnostics).toMatchObject([{ code: "not_publishable" }]);
  });

  it("refuses a policy that names more tools than the plan has room for", async () => {
    const server = await controlPlane({ plans: { default: { max_tools: 2 } } });
    expect((await server.publish(policyText("a, b"))).status).toBe(201);
    const reply = await server.publish(policyText("a, b, c"));
    expect([reply.status, reply.json.code, reply.json.error]).toEqual([402, "tool_limit", "tool_limit"]);
    expect(reply.json.tools).toEqual({ used: 3, max: 2 });
    const rehearsed = await server.publish(policyText("a, b, c"), { query: "&dry_run=true" });
    expect(rehearsed.status).toBe(402);
  });

  it("tells what it would do without doing it", async () => {
    const server = await controlPlane();
    const rehearse = (text: string, app = "shop") =>
      server.call("POST", `/v1/policy/publish?app_name=${app}&dry_run=true`, {
        token: server.developer,
        body: text,
      });
    expect((await rehearse(policyText())).json).toEqual({
      valid: true,
      app_name: "shop",
      current_version: 0,
      diagnostics: [],
      difference: { direction: "changed" },
    });
    await server.publish(policyText());
    expect((await rehearse(`${policyText()}# the same\n`)).json).toMatchObject({
      current_version: 1,
      difference: { direction: "same" },
    });
    expect((await rehearse("policies: [")).json).toMatchObject({ valid: false, difference: null });
    expect((await rehearse(policyText("a", "new"), "new")).json.valid).toBe(true);
    expect(await server.services.storage.appByName(ACCOUNT, "new")).toBeUndefined();
    const statement = statementHeaders(server, policyText(), { expected_version: 1 });
    const options = { headers: statement, query: "&dry_run=true" };
    expect((await server.publish(policyText(), options)).status).toBe(200);
    expect((await server.publish(policyText(), { headers: statement })).status).toBe(201);
  });

  it("refuses a lost update, by the ETag or by a signed statement", async () => {
    const server = await controlPlane({ bundleLifetimeSeconds: 1000 });
    const ifMatch = (etag: string) => server.publish(policyText(), { headers: { "If-Match": etag } });
    expect((await ifMatch('"1.0123456789abcdef"')).status).toBe(412);
    const first = await server.publish(policyText());
    const etag = first.headers.get("etag") ?? "";
    // Signed anew meanwhile: it is the same version still.
    server.time.now += 600_000;
    expect((await ifMatch(etag)).status).toBe(201);
    const late = await ifMatch(etag);
    expect([late.status, late.json.code, late.json.current_version]).toEqual([412, "version_conflict", 2]);
    for (const other of [`W/"2.0123456789abcdef"`, "2", '"2"'])
      expect((await ifMatch(other)).status).toBe(412);
    const stated = (expected_version: number) =>
      server.publish(policyText(), { headers: statementHeaders(server, policyText(), { expected_version }) });
    expect((await stated(1)).status).toBe(412);
    expect((await stated(2)).status).toBe(201);
  });

  it.each(databaseKinds)("of many at once has one winner, on two servers too (%s)", async (kind) => {
    const { url, file } = await databases.fresh(kind);
    const settings = { databaseUrl: url, databaseFile: file, serverKey: SERVER_KEY };
    const servers = [await controlPlane(settings), await controlPlane(settings)];
    const [one, other] = servers;
    if (one === undefined || other === undefined) throw new Error("no servers");
    const round = async (expected_version: number) => {
      const replies = await Promise.all(
        Array.from({ length: 8 }, (_, at) => {
          const text = policyText(`tool.${at}`);
          const server = at % 2 === 0 ? one : other;
          return server.publish(text, { headers: statementHeaders(server, text, { expected_version }) });
        }),
      );
      return replies.map(({ status }) => status).sort();
    };
    for (const expected of [0, 1, 2]) expect(await round(expected)).toEqual([201, ...Array(7).fill(412)]);
    const { json } = await one.call("GET", "/v1/policy/versions?app_name=shop", { token: one.developer });
    expect(json.versions.map(({ version }: { version: number }) => version)).toEqual([3, 2, 1]);
  });
});

describe("versions", () => {
  it("are listed, read, and compared", async () => {
    const server = await controlPlane();
    const get = async (path: string) =>
      (await server.call("GET", `/v1/policy/versions${path}`, { token: server.developer })).json;
    await server.publish(policyText("a"));
    await server.publish(`${policyText("a")}# again\n`);
    await server.publish(policyText("b"));
    const list = await get("?app_name=shop&limit=2");
    expect(list).toMatchObject({ app_name: "shop", current_version: 3, revoked_at: null });
    expect(list.versions.map(({ version }: { version: number }) => version)).toEqual([3, 2]);
    expect((await get("/2/diff?app_name=shop")).difference).toMatchObject({ direction: "same" });
    expect((await get("/3/diff?app_name=shop&against=1")).difference).toMatchObject({
      direction: "mixed",
    });
    for (const path of ["/1/diff?app_name=shop", "/4?app_name=shop", "/3/diff?app_name=shop&against=9"]) {
      expect((await get(path)).code).toBe("version_not_found");
    }
    expect((await get("/0?app_name=shop")).code).toBe("invalid_request");
  });

  it("that are rolled back to are published anew", async () => {
    const server = await controlPlane();
    await server.publish(policyText("a"));
    await server.publish(policyText("b"));
    const rollBack = (json: object) =>
      server.call("POST", "/v1/policy/rollback?app_name=shop", { token: server.developer, json });
    expect((await rollBack({ version: 1, expected_version: 1 })).status).toBe(412);
    expect((await rollBack({ version: 7 })).json.code).toBe("version_not_found");
    const done = await rollBack({ version: 1, expected_version: 2 });
    expect(done.status).toBe(201);
    expect(done.json).toMatchObject({ version: 3, rollback_of: 1, key_id: null });
    const { json } = await server.call("GET", "/v1/policy/versions/3?app_name=shop", { token: server.admin });
    expect(json.text).toBe(policyText("a"));
  });

  it("that have expired cannot be rolled back to, and can still be compared", async () => {
    const server = await controlPlane();
    const text = "metadata: {name: shop, expires: 2030-01-02}\npolicies: []\n";
    await server.publish(text);
    await server.publish(policyText());
    server.time.now += 2 * 86_400_000;
    const back = await server.call("POST", "/v1/policy/rollback?app_name=shop", {
      token: server.developer,
      json: { version: 1 },
    });
    expect([back.status, back.json.code]).toEqual([422, "policy_invalid"]);
    const diff = await server.call("GET", "/v1/policy/versions/2/diff?app_name=shop", {
      token: server.developer,
    });
    expect(diff.json.difference).toMatchObject({ direction: "loosened" });
  });
});

describe("revoking", () => {
  it("takes effect at once, can be repeated, and a rollback brings the app back", async () => {
    const server = await controlPlane();
    const revoke = () => server.call("POST", "/v1/policy/revoke?app_name=shop", { token: server.admin });
    const status = async () =>
      (await server.call("GET", "/v1/policy/bundle", { token: server.runtime })).status;
    expect((await revoke()).json.code).toBe("policy_not_found");
    await server.publish(policyText());
    expect(await status()).toBe(200);
    const first = await revoke();
    expect(first.json).toMatchObject({ app_name: "shop", current_version: 1 });
    expect(await status()).toBe(410);
    server.time.now += 5000;
    expect((await revoke()).json).toEqual(first.json);
    await server.call("POST", "/v1/policy/rollback?app_name=shop", {
      token: server.developer,
      json: { version: 1 },
    });
    expect(await status()).toBe(200);
  });
});

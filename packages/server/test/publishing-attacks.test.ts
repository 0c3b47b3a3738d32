import { canonicalJson } from "d2-core";
import { describe, expect, it } from "vitest";
import {
  type ControlPlane,
  controlPlane,
  newUploader,
  policyText,
  register,
  SERVER_KEY,
  statementHeaders,
} from "./control-plane.js";
import { databaseKinds, testDatabases } from "./databases.js";
import { ACCOUNT, APP, OTHER_ACCOUNT } from "./running-server.js";

const databases = testDatabases();

async function versionsOf(server: ControlPlane): Promise<number> {
  return (await server.services.storage.versions(APP, 100)).length;
}

describe("a signed statement", () => {
  it("is taken once", async () => {
    const server = await controlPlane();
    const headers = statementHeaders(server, policyText());
    expect((await server.publish(policyText(), { headers })).status).toBe(201);
    expect((await server.publish(policyText(), { headers })).status).toBe(412);
    // Also where its version were the live one again: the nonce alone is enough.
    const nonce = "a-nonce-that-comes-twice";
    const first = statementHeaders(server, policyText(), { expected_version: 1, nonce });
    expect((await server.publish(policyText(), { headers: first })).status).toBe(201);
    const second = statementHeaders(server, policyText(), { expected_version: 2, nonce });
    const replayed = await server.publish(policyText(), { headers: second });
    expect([replayed.status, replayed.json.code]).toEqual([409, "statement_replayed"]);
    expect(await versionsOf(server)).toBe(2);
  });

  it("sent many times at once is taken once (both databases)", async () => {
    for (const kind of databaseKinds) {
      const { url, file } = await databases.fresh(kind);
      const server = await controlPlane({ databaseUrl: url, databaseFile: file, serverKey: SERVER_KEY });
      const headers = statementHeaders(server, policyText());
      const replies = await Promise.all(
        Array.from({ length: 6 }, () => server.publish(policyText(), { headers })),
      );
      expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(await versionsOf(server)).toBe(1);
    }
  });

  it("is refused when it is too old or too new, also while its nonce could have been forgotten", async () => {
    const server = await controlPlane();
    const now = Math.floor(server.time.now / 1000);
    for (const time of [now - 301, now + 301]) {
      const reply = await server.publish(policyText(), {
        headers: statementHeaders(server, policyText(), { time }),
      });
      expect([reply.status, reply.json.code]).toEqual([403, "statement_stale"]);
    }
    const early = statementHeaders(server, policyText(), { time: now + 300 });
    expect((await server.publish(policyText(), { headers: early })).status).toBe(201);
    server.time.now += 600_000;
    const other = statementHeaders(server, policyText(), { expected_version: 1 });
    expect((await server.publish(policyText(), { headers: other })).status).toBe(201);
    expect((await server.publish(policyText(), { headers: early })).status).toBe(412);
    expect(await versionsOf(server)).toBe(2);
  });

  it("about another app or another content is refused", async () => {
    const server = await controlPlane();
    await server.publish(policyText("a", "other"), { app: "other" });
    const text = policyText("a", "other");
    const reply = await server.publish(text, { app: "other", headers: statementHeaders(server, text) });
    expect([reply.status, reply.json.code]).toEqual([403, "statement_app"]);
    const swapped = await server.publish(policyText("*"), {
      headers: statementHeaders(server, policyText()),
    });
    expect([swapped.status, swapped.json.code]).toEqual([403, "statement_content"]);
  });

  it("has one spelling", async () => {
    const server = await controlPlane();
    const good = statementHeaders(server, policyText());
    const input = good["X-D2-Signature-Input"] ?? "";
    const fields = JSON.parse(Buffer.from(input, "base64url").toString());
    const spelt = (text: string) => Buffer.from(text).toString("base64url");
    for (const other of [
      `${input}=`,
      `${input}!`,
      spelt(JSON.stringify(fields, null, 1)),
      spelt(canonicalJson({ ...fields, more: 1 })),
      spelt(canonicalJson({ ...fields, expected_version: -1 })),
      spelt("null"),
      "",
    ]) {
      const reply = await server.publish(policyText(), {
        headers: { ...good, "X-D2-Signature-Input": other },
      });
      expect([reply.status, reply.json.code]).toEqual([400, "statement_invalid"]);
    }
  });

  it("cannot be passed off as a signature over a body, nor the other way round", async () => {
    const server = await controlPlane();
    const { "X-D2-Signature": ofStatement = "", ...input } = statementHeaders(server, policyText());
    const bare = await server.publish(policyText(), { headers: { "X-D2-Signature": ofStatement } });
    expect(bare.json.code).toBe("signature_invalid");
    // The signature is over the body, and a statement is sent along.
    expect((await server.publish(policyText(), { headers: input })).json.code).toBe("signature_invalid");
  });
});

describe("a signature", () => {
  it("by another key, a revoked one, another account's, or over other bytes is refused", async () => {
    const server = await controlPlane();
    const stranger = newUploader();
    const publish = async (options: Parameters<ControlPlane["publish"]>[1]) => {
      const { status, json } = await server.publish(policyText(), options);
      return [status, json.code];
    };
    expect(await publish({ uploader: stranger })).toEqual([403, "key_unknown"]);
    const borrowed = { "X-D2-Key-Id": server.uploader.keyId };
    expect(await publish({ uploader: stranger, headers: borrowed })).toEqual([403, "signature_invalid"]);
    await register(server.services.storage, stranger, OTHER_ACCOUNT);
    expect(await publish({ uploader: stranger })).toEqual([403, "key_unknown"]);
    expect(await publish({ signed: `${policyText()} ` })).toEqual([403, "signature_invalid"]);
    await server.services.storage.revokeUploaderKey(ACCOUNT, server.uploader.keyId, 1);
    expect(await publish({})).toEqual([403, "key_revoked"]);
    expect(await versionsOf(server)).toBe(0);
  });

  it("must be there, and be one", async () => {
    const server = await controlPlane();
    const publish = async (headers: Record<string, string>) => {
      const path = "/v1/policy/publish?app_name=shop";
      const { status, json } = await server.call("POST", path, {
        token: server.developer,
        body: policyText(),
        headers,
      });
      return [status, json.code];
    };
    const id = { "X-D2-Key-Id": server.uploader.keyId };
    expect(await publish({})).toEqual([400, "signature_missing"]);
    expect(await publish(id)).toEqual([400, "signature_missing"]);
    for (const given of ["", "c2hvcnQ=", "%%%", Buffer.alloc(64).toString("base64url")]) {
      expect(await publish({ ...id, "X-D2-Signature": given })).toEqual([400, "signature_malformed"]);
    }
    const zero = Buffer.alloc(64).toString("base64");
    expect(await publish({ ...id, "X-D2-Signature": zero })).toEqual([403, "signature_invalid"]);
    for (const keyId of ["ed_'; drop table apps; --", "../../etc", "ed_000000000000"]) {
      expect(await publish({ "X-D2-Key-Id": keyId, "X-D2-Signature": zero })).toEqual([403, "key_unknown"]);
    }
  });

  it("does not cover the name that a policy is published under, which must be the policy's own", async () => {
    const server = await controlPlane();
    const reply = await server.publish(policyText(), { app: "other" });
    expect([reply.status, reply.json.code]).toEqual([422, "name_mismatch"]);
    const unnamed = await server.publish("metadata: {}\npolicies: []\n");
    expect(unnamed.json.code).toBe("name_mismatch");
    expect(await server.services.storage.appByName(ACCOUNT, "other")).toBeUndefined();
  });
});

describe("the name of an app", () => {
  it("can neither bring a header in nor a second name", async () => {
    const server = await controlPlane();
    const names = [
      "shop\r\nX-Evil: 1",
      "shop\n",
      "shop\0",
      "../shop",
      "shop%0d%0a",
      "",
      "a".repeat(129),
      "sh\u00f6p",
    ];
    for (const name of names) {
      for (const [method, path] of [
        ["POST", "/v1/policy/publish"],
        ["GET", "/v1/policy/bundle"],
        ["GET", "/v1/policy/versions"],
        ["POST", "/v1/policy/revoke"],
      ] as const) {
        const reply = await server.call(method, `${path}?app_name=${encodeURIComponent(name)}`, {
          token: server.developer,
        });
        expect([path, name, reply.status, reply.json.code]).toEqual([path, name, 400, "invalid_request"]);
        expect(reply.headers.has("x-evil")).toBe(false);
        if (name.length > 9) expect(reply.text).not.toContain(name);
      }
    }
    const twice = await server.call("POST", "/v1/policy/revoke?app_name=shop&app_name=bank", {
      token: server.developer,
    });
    expect(twice.json.code).toBe("repeated_parameter");
  });
});

describe("SQL in any text", () => {
  const SQL = `'); drop table apps; drop table events; --`;

  it.each(databaseKinds)("is text like any other (%s)", async (kind) => {
    const { url, file } = await databases.fresh(kind);
    const server = await controlPlane({ databaseUrl: url, databaseFile: file, serverKey: SERVER_KEY });
    const text = `metadata:\n  name: shop\n  description: ${JSON.stringify(SQL)}\npolicies:\n  - role: ${JSON.stringify(SQL)}\n    permissions: []\n`;
    expect((await server.publish(text)).status).toBe(201);
    const { json } = await server.call("GET", "/v1/policy/versions/1?app_name=shop", { token: server.admin });
    expect(json.text).toBe(text);
    const payload = { tool_id: SQL, user_id: SQL, result: SQL, reason: SQL, [SQL]: SQL };
    const batch = {
      events: [{ event_type: "authz_decision", payload, occurred_at: "2030-01-01T00:00:00Z" }],
    };
    const sent = await server.call("POST", "/v1/events/ingest", { token: server.runtime, json: batch });
    expect(sent.status).toBe(202);
    const query = ["tool", "user", "result", "reason"].map((name) => `${name}=${encodeURIComponent(SQL)}`);
    const found = await server.call("GET", `/v1/events?${query.join("&")}`, { token: server.admin });
    expect(found.json.events).toMatchObject([{ payload }]);
    const none = await server.call("GET", `/v1/events?type=${encodeURIComponent(SQL)}`, {
      token: server.admin,
    });
    expect(none.json.events).toEqual([]);
    const draft = { bundle: { metadata: { name: "shop", description: SQL }, policies: [SQL] } };
    await server.call("PUT", "/v1/policy/draft", { token: server.developer, json: draft });
    const kept = await server.call("GET", "/v1/policy/bundle?app_name=shop&stage=draft", {
      token: server.admin,
    });
    expect(kept.json.bundle).toEqual(draft.bundle);
    for (const path of [
      `/v1/policy/versions/${encodeURIComponent(SQL)}?app_name=shop`,
      `/v1/policy/versions/1/diff?app_name=shop&against=${encodeURIComponent(SQL)}`,
      `/v1/events?cursor=${encodeURIComponent(SQL)}`,
      `/v1/events?from=${encodeURIComponent(SQL)}`,
    ]) {
      expect((await server.call("GET", path, { token: server.admin })).json.code).toBe("invalid_request");
    }
    expect(await server.services.storage.ready()).toBe(true);
  });
});

describe("what is logged", () => {
  it("has no token, key or text of a policy", async () => {
    const server = await controlPlane({ logLevel: "debug" });
    await server.publish(policyText("secret.tool"));
    await server.call("GET", "/v1/policy/bundle", { token: server.runtime });
    const log = server.lines.join("");
    expect(log).toContain("a policy was published");
    for (const secret of [
      server.developer,
      server.runtime,
      "secret.tool",
      SERVER_KEY,
      server.uploader.publicKey,
    ]) {
      expect(log).not.toContain(secret);
    }
  });
});

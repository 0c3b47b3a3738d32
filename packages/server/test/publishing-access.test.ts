import { describe, expect, it } from "vitest";
import { type ControlPlane, controlPlane, newUploader, policyText, register } from "./control-plane.js";
import { ACCOUNT, APP, OTHER_ACCOUNT, OTHER_APP, type Reply } from "./running-server.js";

type Caller = "none" | "runtime" | "developer" | "admin";

const CALLERS: readonly Caller[] = ["none", "runtime", "developer", "admin"];

/** A text that stands in everything that belongs to the first account. */
const MARK = "mark.of.the.first.account";

interface Row {
  /** Method and path, as the OpenAPI document has them. */
  readonly route: string;
  /** The request about the first account's things. */
  readonly path: string;
  readonly json?: unknown;
  /** Statuses for no token and for the first account's runtime, developer and admin tokens. */
  readonly own: readonly [number, number, number, number];
}

const event = {
  event_type: "authz_decision",
  occurred_at: "2030-01-01T00:00:00Z",
  payload: { tool_id: MARK, result: "denied" },
};

/** Every route there is: a new one fails the test until it stands here. The order is that of the calls. */
const ROWS: readonly Row[] = [
  { route: "GET /v1/healthz", path: "/v1/healthz", own: [200, 200, 200, 200] },
  { route: "GET /v1/readyz", path: "/v1/readyz", own: [200, 200, 200, 200] },
  { route: "GET /metrics", path: "/metrics", own: [200, 200, 200, 200] },
  { route: "GET /v1/openapi.json", path: "/v1/openapi.json", own: [200, 200, 200, 200] },
  { route: "GET /.well-known/jwks.json", path: "/.well-known/jwks.json", own: [200, 200, 200, 200] },
  { route: "GET /v1/accounts/me", path: "/v1/accounts/me", own: [401, 200, 200, 200] },
  { route: "GET /v1/policy/bundle", path: "/v1/policy/bundle?app_name=shop", own: [401, 200, 200, 200] },
  {
    route: "GET /v1/policy/bundle",
    path: "/v1/policy/bundle?app_name=shop&stage=draft",
    own: [401, 403, 200, 200],
  },
  { route: "GET /v1/policy/versions", path: "/v1/policy/versions?app_name=shop", own: [401, 403, 200, 200] },
  {
    route: "GET /v1/policy/versions/{version}",
    path: "/v1/policy/versions/1?app_name=shop",
    own: [401, 403, 200, 200],
  },
  {
    route: "GET /v1/policy/versions/{version}/diff",
    path: "/v1/policy/versions/2/diff?app_name=shop",
    own: [401, 403, 200, 200],
  },
  {
    route: "PUT /v1/policy/draft",
    path: "/v1/policy/draft?app_name=shop",
    json: { text: "policies: []" },
    own: [401, 403, 200, 403],
  },
  {
    route: "POST /v1/policy/publish",
    path: "/v1/policy/publish?app_name=shop&dry_run=1",
    own: [401, 403, 200, 403],
  },
  {
    route: "POST /v1/policy/rollback",
    path: "/v1/policy/rollback?app_name=shop",
    json: { version: 1 },
    own: [401, 403, 201, 201],
  },
  { route: "POST /v1/policy/revoke", path: "/v1/policy/revoke?app_name=shop", own: [401, 403, 200, 200] },
  {
    route: "POST /v1/events/ingest",
    path: "/v1/events/ingest",
    json: { events: [event] },
    own: [401, 202, 403, 403],
  },
  { route: "GET /v1/events", path: "/v1/events?app_name=shop", own: [401, 403, 403, 200] },
  { route: "GET /v1/events/rollups", path: "/v1/events/rollups?app_name=shop", own: [401, 403, 403, 200] },
  { route: "GET /v1/apps", path: "/v1/apps", own: [401, 403, 200, 200] },
  { route: "POST /v1/apps", path: "/v1/apps", json: { name: "more" }, own: [401, 403, 403, 201] },
  { route: "GET /v1/tokens", path: "/v1/tokens", own: [401, 403, 403, 200] },
  {
    route: "POST /v1/tokens",
    path: "/v1/tokens",
    json: { kind: "runtime", app_name: "shop" },
    own: [401, 403, 403, 201],
  },
  { route: "DELETE /v1/tokens/{id}", path: "/v1/tokens/TOKEN", own: [401, 403, 403, 204] },
  { route: "GET /v1/keys", path: "/v1/keys", own: [401, 403, 200, 200] },
  { route: "POST /v1/keys", path: "/v1/keys", json: "KEY", own: [401, 403, 200, 200] },
  { route: "DELETE /v1/keys/{key_id}", path: "/v1/keys/KEY_ID", own: [401, 403, 403, 204] },
  { route: "GET /v1/signing-keys", path: "/v1/signing-keys", own: [401, 403, 403, 200] },
  {
    route: "POST /v1/signing-keys/rotate",
    path: "/v1/signing-keys/rotate",
    json: {},
    own: [401, 403, 403, 201],
  },
];

/** A server whose first account has one of everything, each with the mark. */
async function furnished() {
  const server = await controlPlane();
  const { storage } = server.services;
  await server.publish(policyText(MARK));
  await server.publish(policyText(`${MARK}, other`));
  await server.call("PUT", "/v1/policy/draft?app_name=shop", {
    token: server.developer,
    json: { text: `policies: [${MARK}` },
  });
  await server.call("POST", "/v1/events/ingest", { token: server.runtime, json: { events: [event] } });
  await server.token({ kind: "developer", name: MARK });
  const victim = (await storage.tokens(ACCOUNT)).find(({ name }) => name === MARK)?.id ?? "";
  const call = ({ route, path, json }: Row, token: string | undefined): Promise<Reply> => {
    const { keyId: key_id, publicKey: public_key } = server.uploader;
    const method = route.split(" ")[0] ?? "";
    return server.call(method, path.replace("TOKEN", victim).replace("KEY_ID", key_id), {
      ...(token === undefined ? {} : { token }),
      ...(json === undefined ? {} : { json: json === "KEY" ? { key_id, public_key } : json }),
      ...(route.includes("publish") ? { body: policyText() } : {}),
    });
  };
  return { server, call };
}

/** Everything that is stored of the first account. */
async function stateOf({ services: { storage } }: ControlPlane): Promise<unknown> {
  return {
    apps: await storage.apps(ACCOUNT),
    versions: await storage.versions(APP, 100),
    draft: await storage.draft(APP),
    tokens: (await storage.tokens(ACCOUNT)).map(({ id, revokedAt }) => ({ id, revokedAt })),
    keys: await storage.uploaderKeys(ACCOUNT),
    events: await storage.events({ accountId: ACCOUNT, order: "oldest", limit: 100 }),
    account: await storage.account(ACCOUNT),
  };
}

describe("every route", () => {
  it("stands in the table", async () => {
    const { server } = await furnished();
    const { json } = await server.call("GET", "/v1/openapi.json");
    const routes = Object.entries<object>(json.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect([...new Set(ROWS.map(({ route }) => route))].sort()).toEqual(routes.sort());
  });

  it.each(CALLERS)("answers its own account's tokens as the table has it (%s)", async (caller) => {
    const { server, call } = await furnished();
    const found: [string, number][] = [];
    for (const row of ROWS) {
      const token = caller === "none" ? undefined : server[caller];
      found.push([row.path, (await call(row, token)).status]);
    }
    expect(found).toEqual(ROWS.map(({ path, own }) => [path, own[CALLERS.indexOf(caller)]]));
  });

  it.each(["runtime", "developer", "admin"] as const)(
    "tells another account's tokens nothing, and lets them change nothing (%s)",
    async (kind) => {
      const { server, call } = await furnished();
      const appId = kind === "runtime" ? OTHER_APP : null;
      const token = await server.token({ kind, accountId: OTHER_ACCOUNT, appId });
      const before = await stateOf(server);
      for (const row of ROWS) {
        const { status, text } = await call(row, token);
        if (row.path === "/v1/openapi.json") continue;
        expect([row.path, text.includes(MARK), text.includes(ACCOUNT), text.includes(APP)]).toEqual([
          row.path,
          false,
          false,
          false,
        ]);
        expect([row.path, status < 500]).toEqual([row.path, true]);
      }
      expect(await stateOf(server)).toEqual(before);
    },
  );

  it("tells a revoked token nothing", async () => {
    const { server, call } = await furnished();
    const token = await server.token({ kind: "admin", name: "revoked" });
    const id =
      (await server.services.storage.tokens(ACCOUNT)).find(({ name }) => name === "revoked")?.id ?? "";
    await server.call("DELETE", `/v1/tokens/${id}`, { token: server.admin });
    for (const row of ROWS) {
      if (row.own[0] !== 401) continue;
      expect([row.path, (await call(row, token)).status]).toEqual([row.path, 401]);
    }
  });
});

describe("two accounts with an app of one name", () => {
  it("have an app each", async () => {
    const server = await controlPlane();
    await server.publish(policyText(MARK));
    const developer = await server.token({ kind: "developer", accountId: OTHER_ACCOUNT });
    const uploader = newUploader();
    await register(server.services.storage, uploader, OTHER_ACCOUNT);
    const theirs = await server.publish(policyText("b"), { token: developer, uploader });
    expect(theirs.json).toMatchObject({ version: 1, app_name: "shop" });
    expect(theirs.json.app_id).not.toBe(APP);
    const own = await server.call("GET", "/v1/policy/versions/1?app_name=shop", { token: developer });
    expect(own.json.text).toBe(policyText("b"));
  });
});

import { sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ServerParts } from "../../packages/server/src/server-parts.js";
import { openStorage } from "../../packages/server/src/storage/open-storage.js";
import type { Storage } from "../../packages/server/src/storage/storage.js";
import {
  type ControlPlane,
  controlPlane,
  newUploader,
  policyText,
  register,
  type Uploader,
} from "../../packages/server/test/control-plane.js";
import {
  ACCOUNT,
  APP,
  OTHER_ACCOUNT,
  OTHER_APP,
  type Reply,
} from "../../packages/server/test/running-server.js";
import { faultsOf } from "./answer-faults.js";
import { type Operation, operationsOf } from "./documented-routes.js";

/** One of two accounts with the same things in them, each with its mark in every text. */
interface Side {
  readonly accountId: string;
  readonly appId: string;
  readonly appName: string;
  readonly mark: string;
  readonly uploader: Uploader;
  /** A token that nobody uses. */
  readonly spareId: string;
  readonly tokens: Readonly<Record<Kind, string>>;
}

type Kind = "runtime" | "developer" | "admin";
type Caller = "nobody" | "stranger" | "revoked" | Kind;
type Target = "own" | "foreign" | "unnamed";

const KINDS: readonly Kind[] = ["runtime", "developer", "admin"];

const SCOPES: Readonly<Record<Kind, readonly string[]>> = {
  runtime: ["policy.read", "events.write"],
  developer: ["policy.read", "policy.write"],
  admin: ["admin", "metrics.read", "policy.read"],
};

const event = (mark: string) => ({
  event_type: "authz_decision",
  occurred_at: "2030-01-01T00:00:00Z",
  payload: { tool_id: mark, user_id: mark, result: "denied", reason: "role_mismatch" },
});

/** Bodies that are right, about the things of a side. A route with a body that is not here fails the test. */
const BODIES: Readonly<Record<string, (about: Side) => unknown>> = {
  "PUT /v1/policy/draft": ({ appName }) => ({ bundle: { metadata: { name: appName }, policies: [] } }),
  "POST /v1/policy/rollback": () => ({ version: 1 }),
  "POST /v1/policy/publish": ({ appName }) => policyText("published", appName),
  "POST /v1/events/ingest": () => ({ events: [event("sent")] }),
  "POST /v1/apps": ({ appName }) => ({ name: appName }),
  "POST /v1/tokens": ({ appName }) => ({ kind: "runtime", app_name: appName }),
  "POST /v1/keys": ({ uploader }) => ({ key_id: uploader.keyId, public_key: uploader.publicKey }),
  "POST /v1/signing-keys/rotate": () => ({}),
};

/** Accounts have names and keys of their own: the same name, or key, in another account is another thing. */
const BY_NAME = ["PUT /v1/policy/draft", "POST /v1/policy/publish", "POST /v1/apps", "POST /v1/keys"];

const nameOf = ({ method, path }: Operation) => `${method} ${path}`;

/** Removal comes last, so that it is not what the others are refused for; but nothing may yet be made by another's name then. */
function inOrder(operations: readonly Operation[], target: Target): readonly Operation[] {
  const rank = (operation: Operation) => {
    if (target === "foreign" && BY_NAME.includes(nameOf(operation))) return 2;
    return operation.method === "DELETE" ? 1 : 0;
  };
  return [...operations].sort((a, b) => rank(a) - rank(b));
}

async function furnish(server: ControlPlane, accountId: string): Promise<Side> {
  const first = accountId === ACCOUNT;
  const [appId, appName] = first ? [APP, "shop"] : [OTHER_APP, "bank"];
  const mark = first ? "mark.of.one" : "mark.of.other";
  const token = (kind: Kind) => server.token({ kind, accountId, appId: kind === "runtime" ? appId : null });
  const tokens = {
    runtime: await token("runtime"),
    developer: await token("developer"),
    admin: await token("admin"),
  };
  const uploader = newUploader();
  const { storage } = server.services;
  await register(storage, uploader, accountId);
  const by = { app: appName, token: tokens.developer, uploader };
  await server.publish(policyText(mark, appName), by);
  await server.publish(policyText(`${mark}, more`, appName), by);
  await server.call("PUT", `/v1/policy/draft?app_name=${appName}`, {
    token: tokens.developer,
    json: { text: `policies: [${mark}` },
  });
  await server.call("POST", "/v1/events/ingest", { token: tokens.runtime, json: { events: [event(mark)] } });
  await server.token({ kind: "admin", accountId, name: mark });
  const spare = (await storage.tokens(accountId)).find(({ name }) => name === mark);
  return { accountId, appId, appName, mark, uploader, spareId: spare?.id ?? "", tokens };
}

async function bothSides(parts: Partial<ServerParts> = {}) {
  const server = await controlPlane({}, parts);
  const one = await furnish(server, ACCOUNT);
  const other = await furnish(server, OTHER_ACCOUNT);
  const { json } = await server.call("GET", "/v1/openapi.json");
  return { server, one, other, operations: operationsOf(json) };
}

async function tokenOf(server: ControlPlane, side: Side, caller: Caller): Promise<string | undefined> {
  switch (caller) {
    case "nobody":
      return undefined;
    case "stranger":
      return `d2a_${"A".repeat(43)}`;
    case "revoked": {
      const text = await server.token({ kind: "admin", accountId: side.accountId, name: "revoked" });
      const { storage } = server.services;
      const id = (await storage.tokens(side.accountId)).find(({ name }) => name === "revoked")?.id ?? "";
      await storage.revokeToken(side.accountId, id, server.time.now);
      return text;
    }
    case "runtime":
    case "developer":
    case "admin":
      return side.tokens[caller];
  }
}

interface Call {
  readonly operation: Operation;
  readonly token: string | undefined;
  /** Whose things it is about; undefined: whatever need not be named is not. */
  readonly about: Side | undefined;
  readonly by: Side;
}

async function send(server: ControlPlane, { operation, token, about, by }: Call): Promise<Reply> {
  const { method, path, queryNames, hasBody } = operation;
  const named = about ?? by;
  const address = path
    .replace("{id}", named.spareId)
    .replace("{key_id}", named.uploader.keyId)
    .replace("{version}", path.endsWith("diff") ? "2" : "1");
  const bodyOf = BODIES[nameOf(operation)];
  if (hasBody && bodyOf === undefined) throw new Error(`${nameOf(operation)} has no body in this test`);
  const body = hasBody ? bodyOf?.(named) : undefined;
  const name = about !== undefined && queryNames.includes("app_name") ? `?app_name=${about.appName}` : "";
  const signature =
    typeof body === "string" ? sign(null, Buffer.from(body), by.uploader.privateKey).toString("base64") : "";
  return server.call(method, `${address}${name}`, {
    ...(token === undefined ? {} : { token }),
    ...(typeof body === "string" ? { body } : body === undefined ? {} : { json: body }),
    headers: {
      Origin: "https://elsewhere.example",
      ...(signature === "" ? {} : { "X-D2-Signature": signature, "X-D2-Key-Id": by.uploader.keyId }),
    },
  });
}

/** Everything that is stored of an account, but for when its tokens were last used. */
async function stateOf(
  { services: { storage } }: ControlPlane,
  { accountId, appId }: Side,
): Promise<unknown> {
  return {
    account: await storage.account(accountId),
    apps: await storage.apps(accountId),
    versions: await storage.versions(appId, 100),
    draft: await storage.draft(appId),
    tokens: (await storage.tokens(accountId)).map(({ lastUsedAt: _, ...rest }) => rest),
    keys: await storage.uploaderKeys(accountId),
    events: await storage.events({ accountId, order: "oldest", limit: 100 }),
    rollups: await storage.rollups({ accountId, from: 0, to: Date.UTC(2040, 0, 1) }),
  };
}

/** What no answer to another account may have in it. */
function secretsOf(side: Side, operation: Operation): readonly string[] {
  const { accountId, appId, mark, uploader, spareId, tokens } = side;
  const secrets = [accountId, appId, mark, spareId, ...Object.values(tokens)];
  // Where a key is registered the answer repeats it.
  return nameOf(operation) === "POST /v1/keys" ? secrets : [...secrets, uploader.publicKey];
}

/** The statuses that a call may have by the document alone; undefined: any below 500. */
function allowed(operation: Operation, caller: Caller): readonly number[] | undefined {
  if (operation.scopes.length === 0) return undefined;
  if (caller === "nobody" || caller === "stranger" || caller === "revoked") return [401];
  return operation.scopes.some((scope) => SCOPES[caller].includes(scope)) ? undefined : [403];
}

const CALLERS: readonly Caller[] = ["nobody", "stranger", "revoked", ...KINDS];
const TARGETS: readonly Target[] = ["own", "foreign", "unnamed"];

/** Asks every route, and says what was wrong with the answers. */
async function faultsFound(
  { server, one, other, operations }: Awaited<ReturnType<typeof bothSides>>,
  caller: Caller,
  target: Target,
): Promise<string[]> {
  const token = await tokenOf(server, one, caller);
  const about = target === "unnamed" ? undefined : target === "own" ? one : other;
  const faults: string[] = [];
  for (const operation of inOrder(operations, target)) {
    const reply = await send(server, { operation, token, about, by: one });
    const { status } = reply;
    const name = nameOf(operation);
    const faulty = faultsOf(operation, reply, secretsOf(other, operation));
    const wanted = allowed(operation, caller);
    if (wanted !== undefined && !wanted.includes(status)) faulty.push(`answers ${status}, not ${wanted}`);
    const named =
      operation.pathNames.some((it) => it !== "version") ||
      operation.queryNames.includes("app_name") ||
      name === "POST /v1/tokens";
    if (target === "foreign" && named && !BY_NAME.includes(name) && status < 400) {
      faulty.push(`answers ${status} about another account's things`);
    }
    faults.push(...faulty.map((fault) => `${name} ${fault}`));
  }
  return faults;
}

describe.each(CALLERS)("every documented route, asked by %s", (caller) => {
  it.each(TARGETS)("about %s things, tells and changes nothing of another account", async (target) => {
    const sides = await bothSides();
    const { server, other } = sides;
    const before = await stateOf(server, other);
    expect(await faultsFound(sides, caller, target)).toEqual([]);
    expect(await stateOf(server, other)).toEqual(before);
    expect(server.lines.filter((line) => line.includes('"level":50'))).toEqual([]);
  });
});

describe("this test", () => {
  it("notices storage that forgets whose app it is", async () => {
    const inner = await openStorage({ url: undefined, file: ":memory:", migrate: true });
    let forgetful = false;
    const appByName: Storage["appByName"] = async (accountId, name) =>
      (await inner.appByName(accountId, name)) ??
      (forgetful ? inner.appByName(OTHER_ACCOUNT, name) : undefined);
    const sides = await bothSides({ storage: Object.assign(Object.create(inner), { appByName }) });
    forgetful = true;
    const faults = await faultsFound(sides, "developer", "foreign");
    expect(faults).toContain("GET /v1/policy/versions tells of another account");
    expect(faults).toContain("POST /v1/policy/rollback answers 201 about another account's things");
  });

  it("asks what succeeds for somebody: every documented success of its own things is seen", async () => {
    const { server, one, operations } = await bothSides();
    const unseen: string[] = [];
    for (const operation of inOrder(operations, "own")) {
      const seen: number[] = [];
      for (const caller of KINDS) {
        const reply = await send(server, { operation, token: one.tokens[caller], about: one, by: one });
        seen.push(reply.status);
      }
      // An app and its name are there already; what is deleted was so by the first that may.
      const fine =
        seen.some((status) => status < 300) || (operation.path === "/v1/apps" && seen.includes(409));
      if (!fine) unseen.push(`${nameOf(operation)}: ${seen.join(", ")}`);
    }
    expect(unseen).toEqual([]);
    expect(operations.length).toBeGreaterThan(25);
  });

  it.each(KINDS)("knows the scopes that a %s token has", async (kind) => {
    const { server, one } = await bothSides();
    const { json } = await server.call("GET", "/v1/accounts/me", { token: one.tokens[kind] });
    expect([...json.token.scopes].sort()).toEqual([...SCOPES[kind]].sort());
  });
});

import { connect } from "node:net";
import { pino } from "pino";
import { afterEach } from "vitest";
import { createToken, type TokenRequest } from "../src/admin/new-token.js";
import type { Route } from "../src/http/route.js";
import type { RotationRequest } from "../src/http/services.js";
import { type RunningServer, startServer } from "../src/server.js";
import type { ServerParts } from "../src/server-parts.js";
import type { SettingsInput } from "../src/settings.js";
import type { SigningKey } from "../src/storage/storage.js";

export interface TestServer extends RunningServer {
  /** Every line of the log so far. */
  readonly lines: string[];
  /** What was asked of the signing keys. */
  readonly rotations: RotationRequest[];
  /** Goes on only when told to. */
  readonly time: { now: number };
  /** Text of a new token. */
  token(request: Partial<TokenRequest> & Pick<TokenRequest, "kind">): Promise<string>;
  call(method: string, path: string, options?: CallOptions): Promise<Reply>;
}

export interface CallOptions {
  readonly token?: string;
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes.
  readonly json: any;
}

export const ACCOUNT = "acc_aaaaaaaaaaaaaaaaaaaa";
export const OTHER_ACCOUNT = "acc_bbbbbbbbbbbbbbbbbbbb";
export const APP = "app_aaaaaaaaaaaaaaaaaaaa";
export const OTHER_APP = "app_bbbbbbbbbbbbbbbbbbbb";

const started: RunningServer[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()));
});

/** A server on a port of its own with two accounts, each with one app (`shop`, `bank`). It ends with the test. */
export async function testServer(
  settings: SettingsInput = {},
  routes: readonly Route[] = [],
  parts: Partial<ServerParts> = {},
): Promise<TestServer> {
  const lines: string[] = [];
  const rotations: RotationRequest[] = [];
  const time = { now: Date.UTC(2030, 0, 1) };
  const server = await startServer(
    { port: 0, databaseFile: ":memory:", ...settings },
    {
      clock: () => time.now,
      logger: pino({ level: settings.logLevel ?? "info" }, { write: (line) => lines.push(line) }),
      signing: async () => ({
        ready: () => true,
        keys: () => [signingKey],
        signer: () => ({ kid: signingKey.kid, until: Number.POSITIVE_INFINITY, sign: async () => "" }),
        rotate: async (request) => {
          rotations.push(request);
          return { ...signingKey, kid: "second", alg: request.alg ?? "RS256" };
        },
        close: async () => {},
      }),
      features: [async () => ({ routes, close: async () => {} })],
      ...parts,
    },
  );
  started.push(server);
  const { storage } = server.services;
  for (const [id, appId, name] of [
    [ACCOUNT, APP, "shop"],
    [OTHER_ACCOUNT, OTHER_APP, "bank"],
  ] as const) {
    if ((await storage.account(id)) !== undefined) continue;
    await storage.createAccount({ id, name, plan: "default", createdAt: time.now });
    await storage.createApp({
      id: appId,
      accountId: id,
      name,
      createdAt: time.now,
      currentVersion: 0,
      revokedAt: null,
    });
  }
  return {
    ...server,
    lines,
    rotations,
    time,
    async token(request) {
      const { text } = await createToken(server.services, {
        accountId: ACCOUNT,
        appId: request.kind === "runtime" ? APP : null,
        name: "",
        ...request,
      });
      return text;
    },
    async call(method, path, { token, json, body, headers } = {}) {
      const response = await fetch(`${server.url}${path}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(json === undefined ? {} : { "Content-Type": "application/json" }),
          ...headers,
        },
        ...(json === undefined && body === undefined ? {} : { body: body ?? JSON.stringify(json) }),
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.includes("json") === true;
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: isJson && text !== "" ? JSON.parse(text) : undefined,
      };
    },
  };
}

const signingKey: SigningKey = {
  kid: "first",
  alg: "RS256",
  publicJwk: "{}",
  sealed: "c2VjcmV0",
  createdAt: 0,
  signsFrom: 0,
  listedUntil: null,
  rotation: null,
};

/** Sends bytes over a socket of its own, and reads all that comes until the server hangs up. */
export function overSocket(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let heard = "";
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on("data", (data) => {
      heard += data.toString("latin1");
    });
    socket.on("close", () => resolve(heard));
    socket.on("error", reject);
  });
}

import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { canonicalJson } from "d2-core";
import { compactVerify, decodeProtectedHeader, importJWK } from "jose";
import { keyId } from "../src/admin/key-id.js";
import type { ServerParts } from "../src/server-parts.js";
import type { SettingsInput } from "../src/settings.js";
import { standardParts } from "../src/standard-parts.js";
import { openStorage } from "../src/storage/open-storage.js";
import type { Storage } from "../src/storage/storage.js";
import { ACCOUNT, APP, type Reply, type TestServer, testServer } from "./running-server.js";

export const SERVER_KEY = Buffer.alloc(32, 7).toString("base64");

/** Somebody who publishes. */
export interface Uploader {
  readonly keyId: string;
  /** The 32 raw bytes in base64. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

export function newUploader(): Uploader {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  return { keyId: keyId(raw), publicKey: raw.toString("base64"), privateKey };
}

export interface ControlPlane extends TestServer {
  readonly developer: string;
  readonly runtime: string;
  readonly admin: string;
  /** Registered in the first account. */
  readonly uploader: Uploader;
  /** Publishes as the public client does, unless told otherwise. */
  publish(text: string, more?: PublishOptions): Promise<Reply>;
}

export interface PublishOptions {
  readonly app?: string;
  readonly query?: string;
  readonly token?: string;
  readonly uploader?: Uploader;
  readonly headers?: Record<string, string>;
  /** What is signed in place of the text. */
  readonly signed?: string | Uint8Array;
}

/** A whole server, with a token of each kind for the app `shop` and a publishing key. */
export async function controlPlane(
  settings: SettingsInput = {},
  parts: Partial<ServerParts> = {},
): Promise<ControlPlane> {
  const all: SettingsInput = { signingAlgorithm: "EdDSA", serverKey: SERVER_KEY, ...settings };
  const server = await testServer(all, [], { ...standardParts, ...parts });
  const [developer, runtime, admin] = await Promise.all([
    server.token({ kind: "developer" }),
    server.token({ kind: "runtime" }),
    server.token({ kind: "admin" }),
  ]);
  const uploader = newUploader();
  await register(server.services.storage, uploader);
  return {
    ...server,
    developer,
    runtime,
    admin,
    uploader,
    publish(
      text,
      { app = "shop", query = "", token = developer, uploader: by = uploader, headers, signed } = {},
    ) {
      const bytes = Buffer.from(signed ?? text);
      return server.call("POST", `/v1/policy/publish?app_name=${encodeURIComponent(app)}${query}`, {
        token,
        body: text,
        headers: {
          "Content-Type": "application/octet-stream",
          "X-D2-Signature": sign(null, bytes, by.privateKey).toString("base64"),
          "X-D2-Key-Id": by.keyId,
          "If-Match": "*",
          ...headers,
        },
      });
    },
  };
}

export async function register(storage: Storage, uploader: Uploader, accountId = ACCOUNT): Promise<void> {
  const { keyId, publicKey } = uploader;
  await storage.registerUploaderKey({ accountId, keyId, publicKey, createdAt: 0, revokedAt: null });
}

export interface StatementFields {
  readonly app: string;
  readonly content_sha256: string;
  readonly expected_version: number;
  readonly nonce: string;
  readonly time: number;
}

let nonces = 0;

/** The headers of a signed statement about the text. */
export function statementHeaders(
  { time, uploader }: Pick<ControlPlane, "time" | "uploader">,
  text: string,
  fields: Partial<StatementFields> = {},
): Record<string, string> {
  nonces++;
  const json = canonicalJson({
    app: "shop",
    content_sha256: createHash("sha256").update(text).digest("hex"),
    expected_version: 0,
    nonce: `nonce-of-the-test-${nonces}`,
    time: Math.floor(time.now / 1000),
    ...fields,
  });
  return {
    "X-D2-Signature-Input": Buffer.from(json).toString("base64url"),
    "X-D2-Signature": sign(null, Buffer.from(`d2-publish/1\n${json}`), uploader.privateKey).toString(
      "base64",
    ),
  };
}

export function policyText(tool = "orders.read", name = "shop"): string {
  return `# who may do what\nmetadata:\n  name: ${name}\npolicies:\n  - role: clerk\n    permissions: [${tool}]\n`;
}

/** The bundle's header and payload, once the listed key has verified it. */
export async function verified(server: TestServer, jws: string) {
  const { kid, alg } = decodeProtectedHeader(jws);
  const { json } = await server.call("GET", "/.well-known/jwks.json");
  const jwk = json.keys.find((key: { kid: string }) => key.kid === kid);
  const { payload, protectedHeader } = await compactVerify(jws, await importJWK(jwk, alg), {
    algorithms: ["RS256", "EdDSA"],
  });
  return { header: protectedHeader, payload: JSON.parse(new TextDecoder().decode(payload)) };
}

/** Storage in memory that tells which of its methods were called. */
export async function watchedStorage(): Promise<{ readonly storage: Storage; readonly calls: string[] }> {
  const inner = await openStorage({ url: undefined, file: ":memory:", migrate: true });
  const calls: string[] = [];
  const storage = new Proxy(inner, {
    get(target, name, receiver) {
      if (typeof name === "string") calls.push(name);
      return Reflect.get(target, name, receiver);
    },
  });
  return { storage, calls };
}

export { ACCOUNT, APP };

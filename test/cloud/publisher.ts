import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { canonicalJson } from "d2-core";
import { keyId } from "../../packages/server/src/admin/key-id.js";

/** An answer of the control plane. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Question {
  readonly method?: "GET" | "POST";
  readonly token: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks a server. @throws (as a rejection) when there is no whole answer */
export async function ask(
  url: string,
  path: string,
  { method = "GET", token, body, headers }: Question,
): Promise<Answer> {
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}

/** SHA-256 in hex, as versions tell it of their text. */
export const contentDigest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A signed publication, ready to be sent, also again. */
export interface Publication {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Someone who publishes with a key of their own. */
export class Publisher {
  readonly #app: string;
  readonly #token: string;
  readonly #key = generateKeyPairSync("ed25519");
  readonly #publicKey: Buffer;

  constructor(app: string, token: string) {
    this.#app = app;
    this.#token = token;
    this.#publicKey = this.#key.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  }

  register(url: string): Promise<Answer> {
    const body = { key_id: keyId(this.#publicKey), public_key: this.#publicKey.toString("base64") };
    return ask(url, "/v1/keys", { method: "POST", token: this.#token, body: JSON.stringify(body) });
  }

  /** A signed statement that this text is to follow the version that is expected to be live. */
  sign(text: string, expectedVersion: number): Publication {
    const statement = canonicalJson({
      app: this.#app,
      content_sha256: contentDigest(text),
      expected_version: expectedVersion,
      nonce: randomBytes(24).toString("base64url"),
      time: Math.floor(Date.now() / 1000),
    });
    const signature = sign(null, Buffer.from(`d2-publish/1\n${statement}`), this.#key.privateKey);
    return {
      text,
      headers: {
        "content-type": "application/octet-stream",
        "x-d2-key-id": keyId(this.#publicKey),
        "x-d2-signature-input": Buffer.from(statement).toString("base64url"),
        "x-d2-signature": signature.toString("base64"),
      },
    };
  }

  publish(url: string, { text, headers }: Publication): Promise<Answer> {
    const path = `/v1/policy/publish?app_name=${this.#app}`;
    return ask(url, path, { method: "POST", token: this.#token, body: text, headers });
  }
}

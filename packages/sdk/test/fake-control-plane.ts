import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CompactSign, exportJWK, generateKeyPair, type JWK } from "jose";
import { onTestFinished } from "vitest";

export const AUDIENCE = "d2-policy:acc_test:mine";
export const TOKEN = "d2r_secret-token";

/** A pair of keys by which bundles are signed. */
export interface SigningPair {
  readonly kid: string;
  readonly alg: "RS256" | "EdDSA";
  readonly privateKey: Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];
  /** As the key list has it. */
  readonly jwk: JWK;
}

export async function signingPair(kid: string, alg: SigningPair["alg"] = "EdDSA"): Promise<SigningPair> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

export interface Signed {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly by?: SigningPair;
}

export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A control plane over a real socket, which answers as the test has it. */
export class FakeControlPlane {
  readonly url: string;
  readonly requests: SeenRequest[] = [];
  /** The key that signs. */
  pair: SigningPair;
  listed: readonly unknown[];
  version = 1;
  name = "first";
  tool = "read";
  claims: Readonly<Record<string, unknown>> = {};
  header: Readonly<Record<string, unknown>> = {};
  /** Besides the ETag. */
  extra: Readonly<Record<string, string>> = {};
  /** In place of the bundle, while it is set. */
  bundle: Answer | undefined;
  /** In place of the key list, while it is set. */
  keys: Answer | undefined;
  readonly #close: () => Promise<void>;

  private constructor(url: string, pair: SigningPair, close: () => Promise<void>) {
    this.url = url;
    this.pair = pair;
    this.listed = [pair.jwk];
    this.#close = close;
  }

  static async start(pair?: SigningPair): Promise<FakeControlPlane> {
    const own = pair ?? (await signingPair("k1"));
    const plane: { it?: FakeControlPlane } = {};
    const server = createServer((request, response) => void plane.it?.answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const close = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    plane.it = new FakeControlPlane(`http://127.0.0.1:${port}`, own, close);
    onTestFinished(close);
    return plane.it;
  }

  /** Ends it: nothing listens at its URL any more. */
  stop(): Promise<void> {
    return this.#close();
  }

  get asked(): readonly SeenRequest[] {
    return this.requests.filter(({ path }) => path === "/v1/policy/bundle");
  }

  get keysAsked(): readonly SeenRequest[] {
    return this.requests.filter(({ path }) => path === "/.well-known/jwks.json");
  }

  /** A compact JWS over the policy as it is now. */
  sign({ header = {}, claims = {}, by = this.pair }: Signed = {}): Promise<string> {
    const payload = {
      aud: AUDIENCE,
      version: this.version,
      metadata: { name: this.name },
      policies: [{ role: "reader", permissions: [this.tool] }],
      ...this.claims,
      ...claims,
    };
    return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
      .setProtectedHeader({ alg: by.alg, kid: by.kid, ...this.header, ...header })
      .sign(by.privateKey);
  }

  etag(): string {
    return `"${this.version}.${this.name}.${this.pair.kid}"`;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").split("?")[0] ?? "";
    this.requests.push({ path, headers: request.headers });
    if (path === "/.well-known/jwks.json") {
      if (this.keys !== undefined) return void this.keys(request, response);
      response.end(JSON.stringify({ keys: this.listed }));
    } else if (this.bundle !== undefined) {
      this.bundle(request, response);
    } else if (request.headers["if-none-match"] === this.etag()) {
      response.writeHead(304, { etag: this.etag(), ...this.extra }).end();
    } else {
      const body = JSON.stringify({ jws: await this.sign(), version: this.version, etag: this.etag() });
      response.writeHead(200, { etag: this.etag(), ...this.extra }).end(body);
    }
  }
}

/** Answers with a status and a JSON body. */
export const status =
  (code: number, body: object = {}, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end(JSON.stringify(body));

/** Answers with a JWS. */
export const bundleOf =
  (jws: string, more: object = {}): Answer =>
  (_, response) =>
    response.writeHead(200, { etag: '"forged"' }).end(JSON.stringify({ jws, ...more }));

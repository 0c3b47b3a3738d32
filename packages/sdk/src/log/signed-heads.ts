import type { KeyObject } from "node:crypto";
import type { ChainPosition } from "d2-core";
import { ConfigurationError } from "d2-core/call";
import { nodeCrypto } from "../setup/node-crypto.js";
import { nodeFiles } from "../setup/node-files.js";

/** When and with what heads are signed. */
export interface Signing {
  /** Ed25519 private key in PEM (PKCS 8). */
  readonly key: string;
  /** Default 1,000. */
  readonly everyLines?: number | undefined;
  /** Default 10. */
  readonly everySeconds?: number | undefined;
}

/** Signs now and then how far a stream has come, in a file beside it. */
export class SignedHeads {
  readonly #path: string;
  readonly #stream: string;
  readonly #key: KeyObject;
  readonly #keyId: string;
  readonly #everyLines: number;
  readonly #everyMs: number;
  readonly #clock: () => number;
  /** Lines that the last head covers. */
  #signed: number;
  #signedAt: number;

  /** @throws ConfigurationError when the key is no Ed25519 private key */
  constructor(
    path: string,
    stream: string,
    { key, everyLines = 1000, everySeconds = 10 }: Signing,
    from: ChainPosition,
    clock: () => number,
  ) {
    this.#path = path;
    this.#stream = stream;
    this.#key = privateKey(key);
    this.#keyId = keyId(this.#key);
    this.#everyLines = everyLines;
    this.#everyMs = everySeconds * 1000;
    this.#clock = clock;
    this.#signed = from.index;
    this.#signedAt = clock();
  }

  /** Signs, if it is time. */
  appended(head: ChainPosition): void {
    const due =
      head.index - this.#signed >= this.#everyLines || this.#clock() - this.#signedAt >= this.#everyMs;
    if (due) this.sign(head);
  }

  /** Signs what there is, unless the last head covers it. */
  sign({ index, v }: ChainPosition): void {
    if (index === this.#signed || index === 0) return;
    // A clock that tells no whole number has no say in whether there is a head.
    const time = Number.isSafeInteger(this.#clock()) ? this.#clock() : 0;
    const message = `{"index":${index - 1},"stream":"${this.#stream}","time":${time},"v":"${v}"}`;
    const signature = nodeCrypto().sign(null, Buffer.from(message, "ascii"), this.#key).toString("base64url");
    const line =
      `{"index":${index - 1},"key_id":"${this.#keyId}","signature":"${signature}",` +
      `"stream":"${this.#stream}","time":${time},"v":"${v}"}\n`;
    nodeFiles().appendFileSync(this.#path, line, { mode: 0o600, flush: true });
    this.#signed = index;
    this.#signedAt = this.#clock();
  }
}

function privateKey(pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = nodeCrypto().createPrivateKey(pem);
  } catch {
    // The text may be the key itself with a slip in it: nothing of it belongs in a message.
  }
  if (key?.asymmetricKeyType === "ed25519") return key;
  throw new ConfigurationError("`decisionLog.sign.key` must be an Ed25519 private key in PEM (PKCS 8)");
}

/** The first 16 hex digits of the SHA-256 of the public key in DER (SPKI). */
function keyId(key: KeyObject): string {
  const crypto = nodeCrypto();
  const der = crypto.createPublicKey(key).export({ type: "spki", format: "der" });
  return crypto.createHash("sha256").update(der).digest("hex").slice(0, 16);
}

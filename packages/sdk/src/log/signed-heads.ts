import type { KeyObject } from "node:crypto";
import type { ChainPosition } from "d2-core";
import { ConfigurationError } from "d2-core/call";
import { nodeCrypto } from "../setup/node-crypto.js";
import { nodeFiles } from "../setup/node-files.js";
import { endOfLines, lastLine } from "./lines-backwards.js";

/** When and with what heads are signed. */
export interface Signing {
  /** Ed25519 private key, in PEM (PKCS 8) or as Node has it. */
  readonly key: string | KeyObject;
  /** Default 1,000. */
  readonly everyLines?: number | undefined;
  /** Default 10. */
  readonly everySeconds?: number | undefined;
}

/** A line of a file of heads. */
export interface SignedHead {
  /** Index of the last line that it covers. */
  readonly index: number;
  /** The first 16 hex digits of the SHA-256 of the public key in DER (SPKI). */
  readonly key_id: string;
  /** Ed25519 in base64url, over the canonical JSON of the other members but `key_id`. */
  readonly signature: string;
  readonly stream: string;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly time: number;
  /** `v` of the last line that it covers. */
  readonly v: string;
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
  /** Lines there were, and the time, when a head was last signed or could not be. */
  #triedAt: { readonly lines: number; readonly time: number };

  /** @throws ConfigurationError when the key is no Ed25519 private key */
  constructor(
    path: string,
    stream: string,
    { key, everyLines = 1000, everySeconds = 10 }: Signing,
    clock: () => number,
  ) {
    this.#path = path;
    this.#stream = stream;
    this.#key = privateKey(key);
    this.#keyId = keyId(this.#key);
    this.#everyLines = everyLines;
    this.#everyMs = everySeconds * 1000;
    this.#clock = clock;
    this.#signed = linesCovered(path);
    this.#triedAt = { lines: this.#signed, time: clock() };
  }

  /** Whether it is time for a head. Where the clock has gone back, it is. */
  isDue({ index }: ChainPosition): boolean {
    const { lines, time } = this.#triedAt;
    return index - lines >= this.#everyLines || Math.abs(this.#clock() - time) >= this.#everyMs;
  }

  /**
   * Signs what there is, unless the last head covers it. The lines must be on the disk: a head that outlives them would
   * tell of a tail that was cut off.
   *
   * @throws what the file system throws; then no part of the head is there
   */
  sign({ index, v }: ChainPosition): void {
    const now = this.#clock();
    this.#triedAt = { lines: index, time: now };
    if (index <= this.#signed) return;
    // A clock that tells no time has no say in whether there is a head.
    const time = Number.isSafeInteger(Math.floor(now)) ? Math.floor(now) : 0;
    const message = `{"index":${index - 1},"stream":"${this.#stream}","time":${time},"v":"${v}"}`;
    const signature = nodeCrypto().sign(null, Buffer.from(message, "ascii"), this.#key).toString("base64url");
    this.#append(
      `{"index":${index - 1},"key_id":"${this.#keyId}","signature":"${signature}",` +
        `"stream":"${this.#stream}","time":${time},"v":"${v}"}\n`,
    );
    this.#signed = index;
  }

  #append(line: string): void {
    const fs = nodeFiles();
    const file = fs.openSync(this.#path, "a+", 0o600);
    try {
      const { size } = fs.fstatSync(file);
      const whole = endOfLines(file, size);
      // Part of a head, which a crash or a full disk has left, says nothing.
      if (whole < size) fs.ftruncateSync(file, whole);
      fs.writeFileSync(file, line, { flush: true });
    } finally {
      fs.closeSync(file);
    }
  }
}

/** How many lines the last head of a file covers. None where it cannot be read: then one more is signed. */
function linesCovered(path: string): number {
  const fs = nodeFiles();
  let file: number | undefined;
  try {
    file = fs.openSync(path, "r");
    const size = endOfLines(file, fs.fstatSync(file).size);
    const head: Partial<SignedHead> | null = size === 0 ? null : JSON.parse(lastLine(file, size).text);
    return Number.isSafeInteger(head?.index) ? Number(head?.index) + 1 : 0;
  } catch {
    return 0; // there is no file yet, or what is there is for verifying to judge
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}

function privateKey(given: string | KeyObject): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = typeof given === "string" ? nodeCrypto().createPrivateKey(given) : given;
  } catch {
    // The text may be the key itself with a slip in it: nothing of it belongs in a message.
  }
  if (key?.type === "private" && key.asymmetricKeyType === "ed25519") return key;
  throw new ConfigurationError("`decisionLog.sign.key` must be an Ed25519 private key in PEM (PKCS 8)");
}

/** The first 16 hex digits of the SHA-256 of the public key in DER (SPKI). */
function keyId(key: KeyObject): string {
  const crypto = nodeCrypto();
  const der = crypto.createPublicKey(key).export({ type: "spki", format: "der" });
  return crypto.createHash("sha256").update(der).digest("hex").slice(0, 16);
}

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { blake2s } from "@noble/hashes/blake2.js";
import type { Terminal } from "../terminal.js";
import { UsageError } from "../usage-error.js";
import { configFolder, writePrivate } from "./credentials.js";

/** What stands before the 32 raw bytes of an Ed25519 private key in PKCS 8 (RFC 8410). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** The key of this device, with which policies are signed. */
export interface DeviceKey {
  /** `ed_` and the BLAKE2s digest, of 6 bytes, of the raw public key, in hex. */
  readonly keyId: string;
  /** The 32 raw bytes in standard base64. */
  readonly publicKey: string;
  /** @returns the 64 bytes in standard base64 */
  sign(message: Uint8Array): string;
}

/** The key of this device; made when there is none: 32 raw bytes each in `keys/id_ed25519` (mode 0600) and `.pub`. */
export function deviceKey(terminal: Terminal): DeviceKey {
  const path = join(configFolder(terminal), "keys", "id_ed25519");
  const key = existsSync(path) ? readKey(path, terminal) : makeKey(path);
  const raw = rawPublic(key);
  return {
    keyId: `ed_${Buffer.from(blake2s(raw, { dkLen: 6 })).toString("hex")}`,
    publicKey: raw.toString("base64"),
    sign: (message) => sign(null, message, key).toString("base64"),
  };
}

function readKey(path: string, terminal: Terminal): KeyObject {
  const shown = terminal.shown(path);
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    throw new UsageError(`\`${shown}\` may be read by others: take that away with \`chmod 600 ${shown}\``);
  }
  const raw = readFileSync(path);
  if (raw.length !== 32) {
    throw new UsageError(`\`${shown}\` is no key of 32 bytes: move it away, and a new one is made`);
  }
  return createPrivateKey({ key: Buffer.concat([PKCS8, raw]), format: "der", type: "pkcs8" });
}

function makeKey(path: string): KeyObject {
  const { privateKey } = generateKeyPairSync("ed25519");
  writePrivate(path, privateKey.export({ type: "pkcs8", format: "der" }).subarray(PKCS8.length));
  writePrivate(`${path}.pub`, rawPublic(privateKey));
  return privateKey;
}

function rawPublic(key: KeyObject): Buffer {
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  return Buffer.from(x, "base64url");
}

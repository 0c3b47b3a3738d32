import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  generateKeyPair,
  type KeyObject,
} from "node:crypto";
import { promisify } from "node:util";
import { calculateJwkThumbprint, exportJWK } from "jose";
import type { SigningKey } from "../storage/storage.js";

const NONCE = 12;
const TAG = 16;

/** What of a signing key its seal is bound to: a seal cannot be moved to another key. */
type Sealed = Pick<SigningKey, "kid" | "alg" | "publicJwk">;

function boundTo({ kid, alg, publicJwk }: Sealed): Buffer {
  return Buffer.from(`d2-signing-key/1\n${kid}\n${alg}\n${publicJwk}`);
}

/** AES-256-GCM over the private key: nonce, tag and text together in base64. */
export function sealKey(
  key: Sealed,
  privateKey: KeyObject,
  serverKey: Uint8Array,
  randomBytes: (count: number) => Uint8Array,
): string {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv("aes-256-gcm", serverKey, nonce).setAAD(boundTo(key));
  const text = privateKey.export({ type: "pkcs8", format: "der" });
  const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

/** The private key; undefined: another server key has sealed it, or it was changed. */
export function openKey(
  key: Sealed & Pick<SigningKey, "sealed">,
  serverKey: Uint8Array,
): KeyObject | undefined {
  const bytes = Buffer.from(key.sealed, "base64");
  if (bytes.length <= NONCE + TAG) return undefined;
  try {
    const decipher = createDecipheriv("aes-256-gcm", serverKey, bytes.subarray(0, NONCE), {
      authTagLength: TAG,
    });
    decipher.setAAD(boundTo(key)).setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
    const text = Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]);
    return createPrivateKey({ key: text, type: "pkcs8", format: "der" });
  } catch {
    // Whatever was wrong with it, there is no key.
    return undefined;
  }
}

const generate = promisify(generateKeyPair);

/** A new pair of keys, its private half sealed. The `kid` is the thumbprint of the public half (RFC 7638). */
export async function newSealedKey(
  alg: SigningKey["alg"],
  serverKey: Uint8Array,
  randomBytes: (count: number) => Uint8Array,
): Promise<Sealed & Pick<SigningKey, "sealed">> {
  const { publicKey, privateKey } =
    alg === "RS256" ? await generate("rsa", { modulusLength: 2048 }) : await generate("ed25519");
  const jwk = await exportJWK(publicKey);
  const key = { kid: await calculateJwkThumbprint(jwk), alg, publicJwk: JSON.stringify(jwk) };
  return { ...key, sealed: sealKey(key, privateKey, serverKey, randomBytes) };
}

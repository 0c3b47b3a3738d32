import { D2Error, InvalidSignatureError } from "d2-core/call";
import { nodeCrypto } from "../setup/node-crypto.js";
import type { PublicJwk, SigningAlgorithm } from "./check-signature.js";
import { isRecord } from "./jws.js";

/** A key of a key list. */
export interface ListedKey {
  readonly jwk: PublicJwk;
  /** The one algorithm that the key may be used with. */
  readonly alg: SigningAlgorithm;
}

/** Most keys of a list that are taken. */
const MAX_KEYS = 50;

/**
 * The keys of a JWKS that bundles may be signed with, by `kid`. Entries of other kinds are passed over; of two with one
 * `kid` neither is taken, for nobody could say which was meant.
 *
 * @throws D2Error when the text is no JWKS
 */
export function readKeyList(text: string): ReadonlyMap<string, ListedKey> {
  const keys = new Map<string, ListedKey>();
  const twice = new Set<string>();
  for (const entry of entriesOf(text)) {
    if (!isRecord(entry)) continue;
    const { kid } = entry;
    const key = readKey(entry);
    if (typeof kid !== "string" || kid === "" || key === undefined) continue;
    if (keys.has(kid)) twice.add(kid);
    else if (keys.size < MAX_KEYS) keys.set(kid, key);
  }
  for (const kid of twice) keys.delete(kid);
  return keys;
}

function entriesOf(text: string): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(text);
    if (isRecord(list) && Array.isArray(list["keys"])) return list["keys"];
  } catch {
    // The same as a list that is not one.
  }
  throw new D2Error("cloud_unusable", "the control plane's key list is no JWKS: check `D2_JWKS_URL`");
}

/** The public part of a JWK, if it is a key that signs bundles. */
export function readKey(entry: Readonly<Record<string, unknown>>): ListedKey | undefined {
  const { kty, alg, use, key_ops: operations } = entry;
  if (use !== undefined && use !== "sig") return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) {
    return undefined;
  }
  if (kty === "RSA" && (alg === undefined || alg === "RS256")) {
    const { n, e } = entry;
    return isBase64Url(n) && isBase64Url(e) ? { jwk: { kty, n, e }, alg: "RS256" } : undefined;
  }
  if (kty === "OKP" && (alg === undefined || alg === "EdDSA" || alg === "Ed25519")) {
    const { crv, x } = entry;
    return crv === "Ed25519" && isBase64Url(x) ? { jwk: { kty, crv, x }, alg: "EdDSA" } : undefined;
  }
  return undefined;
}

const isBase64Url = (value: unknown): value is string =>
  typeof value === "string" && /^[A-Za-z0-9_-]{1,2048}$/.test(value);

/**
 * The base64url SHA-256 of a key's SubjectPublicKeyInfo (DER): what a key is pinned by.
 *
 * @throws InvalidSignatureError when it is no key
 */
export function thumbprint({ jwk }: ListedKey): string {
  const crypto = nodeCrypto();
  try {
    const key = crypto.createPublicKey({ key: { ...jwk }, format: "jwk" });
    const der = key.export({ type: "spki", format: "der" });
    return crypto.createHash("sha256").update(der).digest("base64url");
  } catch (cause) {
    throw new InvalidSignatureError("a key of the control plane's key list cannot be read", { cause });
  }
}

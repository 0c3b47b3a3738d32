import type { SigningKey } from "../storage/storage.js";

/** How long after a rotation took effect bundles tell of it, in milliseconds. */
export const ANNOUNCED = 24 * 3_600_000;

/** Whether clients find the key in the key list. */
export function isListed(key: SigningKey, at: number): boolean {
  return key.listedUntil === null || at < key.listedUntil;
}

/**
 * The key that signs at an instant: of those that may, the one that was made last. So a rotation at once also overtakes
 * a scheduled one that has not begun, and a key that may have become known never comes back.
 *
 * @param keys oldest first
 */
export function signerOf(keys: readonly SigningKey[], at: number): SigningKey | undefined {
  return keys.findLast((key) => key.signsFrom <= at && isListed(key, at));
}

/** The first instant after the given one at which another key signs, or the same one with another header. */
export function signerChange(keys: readonly SigningKey[], signer: SigningKey, at: number): number {
  const instants = keys.map((key) => key.signsFrom);
  if (signer.rotation !== null) instants.push(signer.signsFrom + ANNOUNCED);
  if (signer.listedUntil !== null) instants.push(signer.listedUntil);
  return Math.min(...instants.filter((instant) => instant > at), Number.POSITIVE_INFINITY);
}

/** Members of the JWS header by which clients learn of the rotation that brought the key. */
export function announcement(signer: SigningKey, at: number): Readonly<Record<string, unknown>> {
  const { rotation, signsFrom, kid } = signer;
  if (rotation === null || at >= signsFrom + ANNOUNCED) return {};
  return {
    jwks_refresh: true,
    rotation_id: rotation.id,
    timestamp: new Date(signsFrom).toISOString(),
    reason: rotation.reason,
    new_kid: kid,
  };
}

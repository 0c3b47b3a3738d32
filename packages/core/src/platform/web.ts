import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/**
 * SHA-256 of a text, as 64 lower-case hex digits.
 *
 * @param text ASCII. Other characters are hashed as UTF-8, where a lone surrogate cannot be told from U+FFFD.
 */
export function sha256Hex(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}

/**
 * Always false: outside Node no program can tell a `Proxy` from the object behind it. What relies on this test must
 * therefore copy a value once and use nothing but the copy.
 */
export function isProxy(_value: unknown): boolean {
  return false;
}

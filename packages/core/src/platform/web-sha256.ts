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

import { blake2s } from "@noble/hashes/blake2.js";

/** The id of a publisher's key: `ed_` and the BLAKE2s digest, of 6 bytes, of the 32 raw bytes, in hex. */
export function keyId(publicKey: Uint8Array): string {
  // `dkLen` is part of what is hashed: this is not the beginning of a longer digest.
  return `ed_${Buffer.from(blake2s(publicKey, { dkLen: 6 })).toString("hex")}`;
}

/** The 32 raw bytes of a key in standard base64; undefined: it is not that. */
export function publicKeyBytes(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  // Decoding is lenient; only the one right spelling gives the same text again.
  return bytes.length === 32 && bytes.toString("base64") === text ? bytes : undefined;
}

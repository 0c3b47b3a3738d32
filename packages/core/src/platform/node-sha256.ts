import * as crypto from "node:crypto";

// `crypto.hash` makes no stream object and takes half the time of `createHash`, but the first releases of Node 20 lack it.
const oneShot: ((text: string) => string) | undefined =
  typeof crypto.hash === "function" ? (text) => crypto.hash("sha256", text, "hex") : undefined;

/**
 * SHA-256 of a text, as 64 lower-case hex digits.
 *
 * @param text ASCII. Other characters are hashed as UTF-8, where a lone surrogate cannot be told from U+FFFD.
 */
export const sha256Hex: (text: string) => string =
  oneShot ?? ((text) => crypto.createHash("sha256").update(text, "utf8").digest("hex"));

import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { blake2s } from "@noble/hashes/blake2.js";

/**
 * @typedef {object} Signing How a request is signed.
 * @property {boolean} statement Over a statement, or over the body as the public client does it.
 * @property {"run" | "stranger"} [key] The key of the run, which a case registers, or one that nobody knows.
 * @property {Record<string, unknown>} [fields] Of the statement, in place of the right ones.
 * @property {number} [ageSeconds] How old the statement is.
 * @property {string} [over] What is signed, in place of the body.
 */

/** Somebody who publishes, with a key of its own. */
export class Publisher {
  #keys = generateKeyPairSync("ed25519");

  /** The 32 raw bytes. */
  #raw() {
    return this.#keys.publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  }

  get publicKey() {
    return this.#raw().toString("base64");
  }

  get keyId() {
    return `ed_${Buffer.from(blake2s(this.#raw(), { dkLen: 6 })).toString("hex")}`;
  }

  /**
   * The headers that sign an upload.
   *
   * @param {string} body
   * @param {Signing} signing
   * @param {{ app: unknown, version: unknown }} live
   * @returns {Record<string, string>}
   */
  headers(body, signing, live) {
    const base = { "Content-Type": "application/octet-stream", "X-D2-Key-Id": this.keyId };
    if (!signing.statement) return { ...base, "X-D2-Signature": this.#sign(signing.over ?? body) };
    const statement = statementText({
      app: live.app,
      content_sha256: createHash("sha256").update(body).digest("hex"),
      expected_version: live.version,
      nonce: randomUUID(),
      time: Math.floor(Date.now() / 1000) - (signing.ageSeconds ?? 0),
      ...signing.fields,
    });
    return {
      ...base,
      "X-D2-Signature-Input": Buffer.from(statement).toString("base64url"),
      "X-D2-Signature": this.#sign(signing.over ?? `d2-publish/1\n${statement}`),
    };
  }

  /** @param {string} text */
  #sign(text) {
    return sign(null, Buffer.from(text), this.#keys.privateKey).toString("base64");
  }
}

/**
 * Canonical JSON. The names are few and ASCII, the values texts and whole numbers, so sorting is all there is to it.
 *
 * @param {Record<string, unknown>} fields
 */
function statementText(fields) {
  return JSON.stringify(Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))));
}

import { createHash, randomBytes } from "node:crypto";
import { canonicalJson } from "d2-core";
import type { DeviceKey } from "./device-key.js";

export interface Publication {
  readonly app: string;
  /** To the byte. */
  readonly content: Uint8Array;
  /** The version that is live as far as the publisher knows; 0: none; undefined: whichever. */
  readonly expectedVersion: number | undefined;
  readonly now: number;
}

/**
 * The headers that sign a publication: with a statement of app, content, expected version and time where the version is
 * known, which cannot be replayed; otherwise over the bytes alone, as every client can.
 */
export function signatureHeaders(
  { app, content, expectedVersion, now }: Publication,
  key: DeviceKey,
): Readonly<Record<string, string>> {
  const named = { "x-d2-key-id": key.keyId, "content-type": "application/octet-stream" };
  if (expectedVersion === undefined) {
    return { ...named, "if-match": "*", "x-d2-signature": key.sign(content) };
  }
  const statement = canonicalJson({
    app,
    content_sha256: createHash("sha256").update(content).digest("hex"),
    expected_version: expectedVersion,
    nonce: randomBytes(24).toString("base64url"),
    time: Math.floor(now / 1000),
  });
  return {
    ...named,
    "x-d2-signature-input": Buffer.from(statement).toString("base64url"),
    "x-d2-signature": key.sign(Buffer.from(`d2-publish/1\n${statement}`)),
  };
}

import { createPublicKey, verify } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Problem } from "../http/problem.js";
import type { Storage } from "../storage/storage.js";
import { checkStatement, readStatement, type Statement } from "./statement.js";

/** The start of an Ed25519 key in DER (SubjectPublicKeyInfo, RFC 8410); its 32 raw bytes follow. */
const DER_HEAD = Buffer.from("302a300506032b6570032100", "hex");

/** Who stands for an upload. */
export interface UploadSignature {
  readonly keyId: string;
  /** Standard base64, 64 bytes. */
  readonly signature: string;
  /** What was signed, where it was not the content alone. */
  readonly statement: Statement | undefined;
}

export interface Upload {
  readonly accountId: string;
  readonly appName: string;
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`, hex. */
  readonly contentDigest: string;
  readonly headers: IncomingHttpHeaders;
  readonly now: number;
}

/**
 * The signature of an upload: by a key of the account that is registered and not revoked, over the content as the public
 * client does it, or over a statement.
 *
 * @returns undefined when the upload has none at all
 * @throws Problem 400, 403
 */
export async function checkUploadSignature(
  storage: Pick<Storage, "uploaderKey">,
  { accountId, appName, bytes, contentDigest, headers, now }: Upload,
): Promise<UploadSignature | undefined> {
  const signature = single(headers["x-d2-signature"]);
  const keyId = single(headers["x-d2-key-id"]);
  const input = single(headers["x-d2-signature-input"]);
  if (signature === undefined && keyId === undefined && input === undefined) return undefined;
  if (signature === undefined || keyId === undefined) throw signatureMissing();
  const given = Buffer.from(signature, "base64");
  if (given.length !== 64 || given.toString("base64") !== signature) {
    throw new Problem(400, "signature_malformed", {
      detail: "`X-D2-Signature` must be the 64 bytes of an Ed25519 signature in standard base64",
    });
  }
  const statement = input === undefined ? undefined : readStatement(input);
  const key = /^ed_[0-9a-f]{12}$/.test(keyId) ? await storage.uploaderKey(accountId, keyId) : undefined;
  if (key === undefined) {
    throw new Problem(403, "key_unknown", {
      detail: "the key of `X-D2-Key-Id` is not registered: `POST /v1/keys`",
    });
  }
  if (key.revokedAt !== null) {
    throw new Problem(403, "key_revoked", { detail: "the key of `X-D2-Key-Id` was revoked: use another" });
  }
  const publicKey = createPublicKey({
    key: Buffer.concat([DER_HEAD, Buffer.from(key.publicKey, "base64")]),
    format: "der",
    type: "spki",
  });
  if (!verify(null, statement?.signed ?? bytes, publicKey, given)) {
    throw new Problem(403, "signature_invalid", {
      detail: "`X-D2-Signature` does not hold: another key made it, or over other bytes",
    });
  }
  if (statement !== undefined) checkStatement(statement, appName, contentDigest, now);
  return { keyId, signature, statement };
}

export function signatureMissing(): Problem {
  return new Problem(400, "signature_missing", {
    detail: "sign the policy: `X-D2-Signature` and `X-D2-Key-Id`",
  });
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(", ") : header;
}

import { z } from "zod";
import { instant } from "../admin/instant.js";
import type { PolicyVersion } from "../storage/storage.js";

export const DIAGNOSTICS = z
  .array(z.looseObject({ severity: z.enum(["error", "warning"]), code: z.string(), message: z.string() }))
  .describe("What is wrong with a policy, or doubtful, with document path, line and column.");

export const VERSION = z.object({
  version: z.int(),
  format: z.enum(["yaml", "json"]),
  policy_digest: z.string().describe("Of what the policy says, however it is written"),
  content_sha256: z.string().describe("Of the text to the byte"),
  published_at: z.string(),
  published_by: z.string().describe("Id of the token"),
  key_id: z.string().nullable().describe("null: rolled back, without a signature of its own"),
  rollback_of: z.int().nullable(),
});

export function shownVersion(version: Omit<PolicyVersion, "text">): z.input<typeof VERSION> {
  return {
    version: version.version,
    format: version.format,
    policy_digest: version.policyDigest,
    content_sha256: version.contentDigest,
    published_at: instant(version.publishedAt),
    published_by: version.publishedBy,
    key_id: version.keyId,
    rollback_of: version.rollbackOf,
  };
}

/** Path parameter that names a version. */
export const VERSION_NUMBER = z
  .string()
  .regex(/^[1-9]\d{0,8}$/)
  .transform(Number);

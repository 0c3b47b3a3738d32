import { z } from "zod";
import { Problem } from "../http/problem.js";
import { type Route, route } from "../http/route.js";
import type { UploaderKey } from "../storage/storage.js";
import { instant } from "./instant.js";
import { keyId, publicKeyBytes } from "./key-id.js";

const KEY_ID = z.string().regex(/^ed_[0-9a-f]{12}$/);

const KEY = z.object({
  key_id: z.string(),
  public_key: z.string(),
  created_at: z.string(),
  revoked_at: z.string().nullable(),
});

function shown(key: UploaderKey): z.input<typeof KEY> {
  return {
    key_id: key.keyId,
    public_key: key.publicKey,
    created_at: instant(key.createdAt),
    revoked_at: instant(key.revokedAt),
  };
}

/** `GET` and `POST /v1/keys`, `DELETE /v1/keys/{key_id}`: Ed25519 keys of those who publish. */
export const keyRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/keys",
    summary: "The account's publishing keys",
    tag: "keys",
    access: { scopes: ["policy.write", "admin"] },
    responses: { 200: { description: "All keys", schema: z.object({ keys: z.array(KEY) }) } },
    async handler({ services, identity }) {
      const keys = await services.storage.uploaderKeys(identity.accountId);
      return { status: 200, body: { keys: keys.map(shown) } };
    },
  }),
  route({
    method: "POST",
    path: "/v1/keys",
    summary: "Registers a publishing key",
    tag: "keys",
    access: { scopes: ["policy.write", "admin"] },
    body: z.object({
      key_id: KEY_ID.describe("`ed_` and the BLAKE2s digest, of 6 bytes, of the raw key, in hex"),
      public_key: z.string().length(44).describe("The 32 raw bytes of the Ed25519 key in standard base64"),
    }),
    responses: {
      200: { description: "It was registered before", schema: KEY },
      201: { description: "It is registered", schema: KEY },
      409: { description: "`key_taken`: another key has the id, or the key was revoked" },
      422: { description: "`key_invalid`, `key_id_mismatch`" },
    },
    async handler({ services, identity, body, clock }) {
      const bytes = publicKeyBytes(body.public_key);
      if (bytes === undefined) {
        throw new Problem(422, "key_invalid", { detail: "`public_key` must be 32 bytes in standard base64" });
      }
      if (keyId(bytes) !== body.key_id) {
        throw new Problem(422, "key_id_mismatch", { detail: "`key_id` must be the digest of `public_key`" });
      }
      const key: UploaderKey = {
        accountId: identity.accountId,
        keyId: body.key_id,
        publicKey: body.public_key,
        createdAt: clock(),
        revokedAt: null,
      };
      const outcome = await services.storage.registerUploaderKey(key);
      switch (outcome) {
        case "registered":
          return { status: 201, body: shown(key) };
        case "known":
          return {
            status: 200,
            body: shown((await services.storage.uploaderKey(key.accountId, key.keyId)) ?? key),
          };
        case "taken":
          throw new Problem(409, "key_taken", { detail: "another key has this id, or the key was revoked" });
      }
    },
  }),
  route({
    method: "DELETE",
    path: "/v1/keys/{key_id}",
    summary: "Revokes a publishing key, for good",
    tag: "keys",
    access: { scopes: ["admin"] },
    params: z.object({ key_id: KEY_ID }),
    responses: {
      204: { description: "It is revoked" },
      404: { description: "`key_not_found`: there is none, or it was revoked before" },
    },
    async handler({ services, identity, params, clock }) {
      const { accountId } = identity;
      if (!(await services.storage.revokeUploaderKey(accountId, params.key_id, clock()))) {
        throw new Problem(404, "key_not_found", { detail: "there is no such key that is still valid" });
      }
      return { status: 204 };
    },
  }),
];

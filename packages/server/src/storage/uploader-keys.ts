import type { Selectable } from "kysely";
import { type Database, write } from "./database.js";
import type { Storage, UploaderKey } from "./storage.js";
import type { Tables } from "./tables.js";

function uploaderKeyOf(row: Selectable<Tables["uploader_keys"]>): UploaderKey {
  return {
    accountId: row.account_id,
    keyId: row.key_id,
    publicKey: row.public_key,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  };
}

export function uploaderKeysIn(
  database: Database,
): Pick<Storage, "registerUploaderKey" | "uploaderKey" | "uploaderKeys" | "revokeUploaderKey"> {
  const { db } = database;
  const keysOf = (accountId: string) =>
    db.selectFrom("uploader_keys").selectAll().where("account_id", "=", accountId);
  return {
    registerUploaderKey: (key) =>
      write(database, async (trx, changes) => {
        const registered = await trx
          .insertInto("uploader_keys")
          .values({
            account_id: key.accountId,
            key_id: key.keyId,
            public_key: key.publicKey,
            created_at: key.createdAt,
            revoked_at: key.revokedAt,
          })
          .onConflict((conflict) => conflict.columns(["account_id", "key_id"]).doNothing())
          .returning("key_id")
          .executeTakeFirst();
        if (registered !== undefined) {
          changes.push({ kind: "uploader_key", id: key.keyId });
          return "registered";
        }
        const known = await trx
          .selectFrom("uploader_keys")
          .select("key_id")
          .where("account_id", "=", key.accountId)
          .where("key_id", "=", key.keyId)
          .where("public_key", "=", key.publicKey)
          .where("revoked_at", "is", null)
          .executeTakeFirst();
        return known === undefined ? "taken" : "known";
      }),

    async uploaderKey(accountId, keyId) {
      const row = await keysOf(accountId).where("key_id", "=", keyId).executeTakeFirst();
      return row && uploaderKeyOf(row);
    },

    async uploaderKeys(accountId) {
      const rows = await keysOf(accountId).orderBy("created_at").orderBy("key_id").execute();
      return rows.map(uploaderKeyOf);
    },

    revokeUploaderKey: (accountId, keyId, at) =>
      write(database, async (trx, changes) => {
        const revoked = await trx
          .updateTable("uploader_keys")
          .set({ revoked_at: at })
          .where("account_id", "=", accountId)
          .where("key_id", "=", keyId)
          .where("revoked_at", "is", null)
          .returning("key_id")
          .executeTakeFirst();
        if (revoked === undefined) return false;
        changes.push({ kind: "uploader_key", id: keyId });
        return true;
      }),
  };
}

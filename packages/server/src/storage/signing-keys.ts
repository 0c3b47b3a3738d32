import type { Insertable, Selectable } from "kysely";
import { type Database, lock, write } from "./database.js";
import type { SigningKey, Storage } from "./storage.js";
import type { Tables } from "./tables.js";

function signingKeyOf(row: Selectable<Tables["signing_keys"]>): SigningKey {
  const { rotation_id: id, rotation_reason: reason } = row;
  return {
    kid: row.kid,
    alg: row.alg,
    publicJwk: row.public_jwk,
    sealed: row.sealed,
    createdAt: row.created_at,
    signsFrom: row.signs_from,
    listedUntil: row.listed_until,
    rotation: id === null ? null : { id, reason: reason ?? "" },
  };
}

function rowOf(key: SigningKey): Insertable<Tables["signing_keys"]> {
  return {
    kid: key.kid,
    alg: key.alg,
    public_jwk: key.publicJwk,
    sealed: key.sealed,
    created_at: key.createdAt,
    signs_from: key.signsFrom,
    listed_until: key.listedUntil,
    rotation_id: key.rotation?.id ?? null,
    rotation_reason: key.rotation?.reason ?? null,
  };
}

export function signingKeysIn(
  database: Database,
): Pick<Storage, "signingKeys" | "addSigningKey" | "addFirstSigningKey"> {
  const { db, kind } = database;
  return {
    async signingKeys() {
      const rows = await db
        .selectFrom("signing_keys")
        .selectAll()
        .orderBy("created_at")
        .orderBy("signs_from")
        .orderBy("kid")
        .execute();
      return rows.map(signingKeyOf);
    },

    addSigningKey: (key, othersListedUntil) =>
      write(database, async (trx, changes) => {
        await lock(kind, trx, "signingKeys");
        if (othersListedUntil !== null) {
          // A key that leaves earlier still does.
          await trx
            .updateTable("signing_keys")
            .set({ listed_until: othersListedUntil })
            .where(({ or, eb }) =>
              or([eb("listed_until", "is", null), eb("listed_until", ">", othersListedUntil)]),
            )
            .execute();
        }
        await trx.insertInto("signing_keys").values(rowOf(key)).execute();
        changes.push({ kind: "signing_keys", id: "" });
      }),

    addFirstSigningKey: (key) =>
      write(database, async (trx, changes) => {
        await lock(kind, trx, "signingKeys");
        if ((await trx.selectFrom("signing_keys").select("kid").limit(1).executeTakeFirst()) !== undefined) {
          return false;
        }
        await trx.insertInto("signing_keys").values(rowOf(key)).execute();
        changes.push({ kind: "signing_keys", id: "" });
        return true;
      }),
  };
}

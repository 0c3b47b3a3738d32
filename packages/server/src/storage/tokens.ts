import { type Selectable, sql } from "kysely";
import { type Database, rowsTable, write } from "./database.js";
import type { Scope, Storage, Token } from "./storage.js";
import type { Tables } from "./tables.js";

function tokenOf(row: Selectable<Tables["tokens"]>): Token {
  // Written by `createToken`, and by nobody else.
  const scopes: readonly Scope[] = JSON.parse(row.scopes);
  return {
    id: row.id,
    accountId: row.account_id,
    kind: row.kind,
    scopes,
    appId: row.app_id,
    name: row.name,
    digest: row.digest,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}

export function tokensIn(
  database: Database,
): Pick<Storage, "createToken" | "tokenByDigest" | "tokens" | "revokeToken" | "touchTokens"> {
  const { db, kind } = database;
  return {
    createToken: (token) =>
      write(database, async (trx, changes) => {
        await trx
          .insertInto("tokens")
          .values({
            id: token.id,
            account_id: token.accountId,
            kind: token.kind,
            scopes: JSON.stringify(token.scopes),
            app_id: token.appId,
            name: token.name,
            digest: token.digest,
            created_at: token.createdAt,
            last_used_at: token.lastUsedAt,
            revoked_at: token.revokedAt,
          })
          .execute();
        changes.push({ kind: "token", id: token.id });
      }),

    async tokenByDigest(digest) {
      const row = await db.selectFrom("tokens").selectAll().where("digest", "=", digest).executeTakeFirst();
      return row && tokenOf(row);
    },

    async tokens(accountId) {
      const rows = await db
        .selectFrom("tokens")
        .selectAll()
        .where("account_id", "=", accountId)
        .orderBy("created_at")
        .orderBy("id")
        .execute();
      return rows.map(tokenOf);
    },

    revokeToken: (accountId, id, at) =>
      write(database, async (trx, changes) => {
        const revoked = await trx
          .updateTable("tokens")
          .set({ revoked_at: at })
          .where("account_id", "=", accountId)
          .where("id", "=", id)
          .where("revoked_at", "is", null)
          .returning("id")
          .executeTakeFirst();
        if (revoked === undefined) return false;
        changes.push({ kind: "token", id });
        return true;
      }),

    async touchTokens(uses) {
      if (uses.size === 0) return;
      const given = rowsTable(
        kind,
        [...uses],
        [
          ["id", "text"],
          ["at", "bigint"],
        ],
      );
      await write(database, async (trx) => {
        // In one order, so that servers which touch the same tokens wait for each other instead of both waiting.
        if (kind === "postgres") {
          await sql`select 1 from tokens where id in (select id from ${given}) order by id for update`.execute(
            trx,
          );
        }
        await sql`update tokens set last_used_at = given.at from ${given}
          where tokens.id = given.id and (last_used_at is null or last_used_at < given.at)`.execute(trx);
      });
    },
  };
}

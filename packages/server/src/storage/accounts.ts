import type { Selectable } from "kysely";
import { type Database, write } from "./database.js";
import type { Account, App, Storage } from "./storage.js";
import type { Tables } from "./tables.js";

function accountOf(row: Selectable<Tables["accounts"]>): Account {
  return { id: row.id, name: row.name, plan: row.plan, createdAt: row.created_at };
}

function appOf(row: Selectable<Tables["apps"]>): App {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    createdAt: row.created_at,
    currentVersion: row.current_version,
    revokedAt: row.revoked_at,
  };
}

type Accounts = Pick<
  Storage,
  "createAccount" | "account" | "accounts" | "createApp" | "app" | "appByName" | "apps" | "countApps"
>;

export function accountsIn(database: Database): Accounts {
  const { db } = database;
  const appsOf = (accountId: string) => db.selectFrom("apps").selectAll().where("account_id", "=", accountId);
  return {
    createAccount: ({ id, name, plan, createdAt }) =>
      write(database, async (trx, changes) => {
        await trx.insertInto("accounts").values({ id, name, plan, created_at: createdAt }).execute();
        await trx.insertInto("event_counters").values({ account_id: id, latest: 0 }).execute();
        changes.push({ kind: "account", id });
      }),

    async account(id) {
      const row = await db.selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
      return row && accountOf(row);
    },

    async accounts() {
      const rows = await db.selectFrom("accounts").selectAll().orderBy("created_at").orderBy("id").execute();
      return rows.map(accountOf);
    },

    createApp: (app) =>
      write(database, async (trx, changes) => {
        const created = await trx
          .insertInto("apps")
          .values({
            id: app.id,
            account_id: app.accountId,
            name: app.name,
            created_at: app.createdAt,
            current_version: app.currentVersion,
            revoked_at: app.revokedAt,
          })
          .onConflict((conflict) => conflict.columns(["account_id", "name"]).doNothing())
          .returning("id")
          .executeTakeFirst();
        if (created === undefined) return false;
        changes.push({ kind: "app", id: app.id });
        return true;
      }),

    async app(accountId, id) {
      const row = await appsOf(accountId).where("id", "=", id).executeTakeFirst();
      return row && appOf(row);
    },

    async appByName(accountId, name) {
      const row = await appsOf(accountId).where("name", "=", name).executeTakeFirst();
      return row && appOf(row);
    },

    async apps(accountId) {
      const rows = await appsOf(accountId).orderBy("name").execute();
      return rows.map(appOf);
    },

    async countApps(accountId) {
      const { count } = await db
        .selectFrom("apps")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .where("account_id", "=", accountId)
        .executeTakeFirstOrThrow();
      return count;
    },
  };
}

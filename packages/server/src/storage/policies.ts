import type { Selectable, Transaction } from "kysely";
import { bytesText, textBytes } from "./column-text.js";
import { type Database, type DatabaseKind, write } from "./database.js";
import type { Change, Draft, NewVersion, PolicyVersion, PublishOutcome, Storage } from "./storage.js";
import { StorageError } from "./storage-error.js";
import type { Tables } from "./tables.js";

const VERSION_COLUMNS = [
  "app_id",
  "version",
  "format",
  "policy_digest",
  "content_digest",
  "published_at",
  "published_by",
  "key_id",
  "signature",
  "rollback_of",
] as const;

function versionOf(row: Omit<Selectable<Tables["versions"]>, "text">): Omit<PolicyVersion, "text"> {
  return {
    appId: row.app_id,
    version: row.version,
    format: row.format,
    policyDigest: row.policy_digest,
    contentDigest: row.content_digest,
    publishedAt: row.published_at,
    publishedBy: row.published_by,
    keyId: row.key_id,
    signature: row.signature,
    rollbackOf: row.rollback_of,
  };
}

function draftOf(row: Selectable<Tables["drafts"]>): Draft {
  return {
    appId: row.app_id,
    text: bytesText(row.text),
    format: row.format,
    baseVersion: row.base_version,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
    diagnostics: row.diagnostics,
  };
}

type Policies = Pick<Storage, "publish" | "version" | "versions" | "revokeApp" | "saveDraft" | "draft">;

export function policiesIn(database: Database): Policies {
  const { db, kind } = database;
  return {
    publish: (version) => write(database, (trx, changes) => publish(kind, trx, version, changes)),

    async version(appId, version) {
      const row = await db
        .selectFrom("versions")
        .selectAll()
        .where("app_id", "=", appId)
        .where("version", "=", version)
        .executeTakeFirst();
      return row && { ...versionOf(row), text: bytesText(row.text) };
    },

    async versions(appId, limit) {
      const rows = await db
        .selectFrom("versions")
        .select(VERSION_COLUMNS)
        .where("app_id", "=", appId)
        .orderBy("version", "desc")
        .limit(limit)
        .execute();
      return rows.map(versionOf);
    },

    revokeApp: (accountId, appId, at) =>
      write(database, async (trx, changes) => {
        const revoked = await trx
          .updateTable("apps")
          .set({ revoked_at: at })
          .where("account_id", "=", accountId)
          .where("id", "=", appId)
          .where("revoked_at", "is", null)
          .where("current_version", ">", 0)
          .returning("id")
          .executeTakeFirst();
        if (revoked === undefined) return false;
        changes.push({ kind: "app", id: appId });
        return true;
      }),

    saveDraft: (draft) =>
      write(database, async (trx, changes) => {
        const values = {
          text: textBytes(draft.text),
          format: draft.format,
          base_version: draft.baseVersion,
          updated_at: draft.updatedAt,
          updated_by: draft.updatedBy,
          diagnostics: draft.diagnostics,
        };
        await trx
          .insertInto("drafts")
          .values({ app_id: draft.appId, ...values })
          .onConflict((conflict) => conflict.column("app_id").doUpdateSet(values))
          .execute();
        changes.push({ kind: "app", id: draft.appId });
      }),

    async draft(appId) {
      const row = await db.selectFrom("drafts").selectAll().where("app_id", "=", appId).executeTakeFirst();
      return row && draftOf(row);
    },
  };
}

/**
 * INVARIANT: an app's `current_version` is its highest version, and changes only here, by one, while its row is locked. So
 * of those who publish at once each sees what the one before it did.
 */
async function publish(
  kind: DatabaseKind,
  trx: Transaction<Tables>,
  given: NewVersion,
  changes: Change[],
): Promise<PublishOutcome> {
  const { appId, nonce, expectedVersion, publishedAt } = given;
  const app = await trx
    .selectFrom("apps")
    .select("current_version")
    .where("id", "=", appId)
    .$if(kind === "postgres", (query) => query.forUpdate())
    .executeTakeFirst();
  if (app === undefined) throw new StorageError("unknown_app", "there is no app with the given `appId`");
  if (nonce !== undefined && (await isUsed(trx, appId, nonce.value))) return { outcome: "replayed" };
  const currentVersion = app.current_version;
  if (expectedVersion !== undefined && expectedVersion !== currentVersion) {
    return { outcome: "conflict", currentVersion };
  }

  if (nonce !== undefined) {
    await trx.deleteFrom("nonces").where("app_id", "=", appId).where("until", "<", publishedAt).execute();
    await trx
      .insertInto("nonces")
      .values({ app_id: appId, ...nonce })
      .execute();
  }
  const version: PolicyVersion = {
    appId,
    version: currentVersion + 1,
    text: given.text,
    format: given.format,
    policyDigest: given.policyDigest,
    contentDigest: given.contentDigest,
    publishedAt,
    publishedBy: given.publishedBy,
    keyId: given.keyId,
    signature: given.signature,
    rollbackOf: given.rollbackOf,
  };
  await trx
    .insertInto("versions")
    .values({
      app_id: appId,
      version: version.version,
      text: textBytes(version.text),
      format: version.format,
      policy_digest: version.policyDigest,
      content_digest: version.contentDigest,
      published_at: version.publishedAt,
      published_by: version.publishedBy,
      key_id: version.keyId,
      signature: version.signature,
      rollback_of: version.rollbackOf,
    })
    .execute();
  await trx
    .updateTable("apps")
    .set({ current_version: version.version, revoked_at: null })
    .where("id", "=", appId)
    .execute();
  // A rollback does not come from the draft that somebody may be at.
  if (version.rollbackOf === null) await trx.deleteFrom("drafts").where("app_id", "=", appId).execute();
  changes.push({ kind: "app", id: appId });
  return { outcome: "published", version };
}

async function isUsed(trx: Transaction<Tables>, appId: string, nonce: string): Promise<boolean> {
  const used = await trx
    .selectFrom("nonces")
    .select("value")
    .where("app_id", "=", appId)
    .where("value", "=", nonce)
    .executeTakeFirst();
  return used !== undefined;
}

import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import type { Database } from "./database.js";
import type { Storage } from "./storage.js";
import type { Tables } from "./tables.js";

/** Rows removed at once: on SQLite some ten milliseconds of this thread, on PostgreSQL a short transaction. */
const PIECE = 2000;

/** How long changes stand in their table; every server reads them each second. */
const CHANGES_KEPT = 7 * 24 * 3_600_000;

/** Removes piece after piece, and lets others in between. @returns how many rows */
async function inPieces(remove: () => Promise<{ numDeletedRows: bigint }>): Promise<number> {
  let removed = 0;
  for (;;) {
    const piece = Number((await remove()).numDeletedRows);
    removed += piece;
    if (piece === 0) return removed;
    await setImmediate();
  }
}

/**
 * Events of an account are numbered in the order of arrival, so the old ones are the first: no index is needed to find
 * them. Servers' clocks differ a little; what that leaves behind goes the next time.
 */
async function removeEvents(db: Kysely<Tables>, accountId: string, instant: number): Promise<number> {
  return await inPieces(async () => {
    const last = await db
      .selectFrom(
        db
          .selectFrom("events")
          .select(["id", "received_at"])
          .where("account_id", "=", accountId)
          .orderBy("id")
          .limit(PIECE)
          .as("first"),
      )
      .select(({ fn }) => fn.max<number | null>("id").as("id"))
      .where("received_at", "<", instant)
      .executeTakeFirst();
    if (last === undefined || last.id === null) return { numDeletedRows: 0n };
    return await db
      .deleteFrom("events")
      .where("account_id", "=", accountId)
      .where("id", "<=", last.id)
      .where("received_at", "<", instant)
      .executeTakeFirstOrThrow();
  });
}

export function retentionIn({ db, clock }: Database): Pick<Storage, "removeBefore"> {
  return {
    async removeBefore(instant) {
      let removed = 0;
      for (const { id } of await db.selectFrom("accounts").select("id").execute()) {
        removed += await removeEvents(db, id, instant);
      }
      await inPieces(() =>
        db
          .deleteFrom("batches")
          .where(({ eb, refTuple, selectFrom }) =>
            eb(
              refTuple("account_id", "app_id", "batch_id"),
              "in",
              selectFrom("batches")
                .select(["account_id", "app_id", "batch_id"])
                .where("received_at", "<", instant)
                .orderBy("received_at")
                .limit(PIECE)
                .$asTuple("account_id", "app_id", "batch_id"),
            ),
          )
          .executeTakeFirstOrThrow(),
      );
      await db.deleteFrom("nonces").where("until", "<", instant).execute();
      // The latest stays, for the numbers go on from it.
      await db
        .deleteFrom("changes")
        .where("changed_at", "<", clock() - CHANGES_KEPT)
        .where("seq", "<", ({ selectFrom }) =>
          selectFrom("changes").select(({ fn }) => fn.max("seq").as("seq")),
        )
        .execute();
      return removed;
    },
  };
}

import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import SqliteFile from "libsql";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { programSchema } from "../src/storage/migrations/migrations.js";
import { migrate, openStorage, schemaVersion } from "../src/storage/open-storage.js";
import { databaseKinds, type FreshDatabase, testDatabases } from "./databases.js";
import { eventRow, versionRow } from "./storage-rows.js";

const databases = testDatabases();

/** Runs statements past the storage. */
async function execute({ url, file }: FreshDatabase, statements: readonly string[]): Promise<void> {
  if (url === undefined) {
    mkdirSync(dirname(file), { recursive: true });
    const database = new SqliteFile(file);
    for (const statement of statements) database.exec(statement);
    database.close();
    return;
  }
  const client = new pg.Client(url);
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** What a server of the first schema had written. Only added to when a schema was released. */
const FIRST_DATA = [
  "insert into accounts (id, name, plan, created_at) values ('acc_1', 'one', 'free', 1)",
  `insert into apps (id, account_id, name, created_at, current_version, revoked_at)
    values ('app_1', 'acc_1', 'shop', 2, 1, null)`,
  `insert into versions (app_id, version, text, format, policy_digest, content_digest, published_at, published_by,
    key_id, signature, rollback_of)
    values ('app_1', 1, 'policy', 'yaml', 'pd', 'cd', 3, 'tok_1', 'ed_1', 'sig', null)`,
  "insert into event_counters (account_id, latest) values ('acc_1', 1)",
  `insert into events (account_id, id, app_id, type, occurred_at, received_at, tool, user_id, result, reason, payload)
    values ('acc_1', 1, 'app_1', 'authz_decision', 7200000, 5, 'search', 'ada', 'allowed', null, '{}')`,
];

describe.each(databaseKinds)("migrating %s", (kind) => {
  it("brings an empty database to the newest schema, and a second time changes nothing", async () => {
    const place = await databases.fresh(kind);
    expect(await schemaVersion(place)).toBe(0);
    const first = await migrate(place);
    expect([first.from, first.to, first.applied.length]).toEqual([0, programSchema, programSchema]);
    expect(await migrate(place)).toEqual({ from: programSchema, to: programSchema, applied: [] });
    expect(await schemaVersion(place)).toBe(programSchema);
  });

  it("brings a database of the first schema forward with its data", async () => {
    const place = await databases.fresh(kind);
    expect(await migrate(place, 1)).toEqual({ from: 0, to: 1, applied: ["first-schema"] });
    const bytes = kind === "sqlite" ? "x'706f6c696379'" : "'\\x706f6c696379'";
    await execute(
      place,
      FIRST_DATA.map((statement) => statement.replace("'policy'", bytes)),
    );
    await expect(openStorage(place)).rejects.toMatchObject({ code: "schema_older" });
    expect((await migrate(place)).from).toBe(1);

    const storage = await openStorage(place);
    expect(await storage.version("app_1", 1)).toMatchObject({ text: "policy", contentDigest: "cd" });
    expect((await storage.ingest("acc_1", "app_1", "b", [eventRow()], 6)).accepted).toBe(1);
    const events = await storage.events({ accountId: "acc_1", result: "allowed", order: "oldest", limit: 9 });
    expect(events.map(({ id, receivedAt }) => [id, receivedAt])).toEqual([
      ["1", 5],
      ["2", 6],
    ]);
    expect(await storage.publish(versionRow("next", { expectedVersion: 1 }))).toMatchObject({
      outcome: "published",
    });
    await storage.close();
  });

  it("happens once when several servers start at once", async () => {
    const place = await databases.fresh(kind);
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => migrate(place)));
    expect(outcomes.flatMap(({ applied }) => applied).sort()).toEqual(["find-events", "first-schema"]);
    expect(outcomes.map(({ to }) => to)).toEqual([1, 2, 3, 4].map(() => programSchema));
  });

  it("is refused by a program that is older than the schema, and by nothing less than that program", async () => {
    const place = await databases.fresh(kind);
    const storage = await openStorage({ ...place, migrate: true });
    await execute(place, [
      `insert into schema_versions (version, name, applied_at) values (${programSchema + 1}, 'later', 1)`,
    ]);
    expect(await storage.ready()).toBe(false);
    await storage.close();
    const refusal = { code: "schema_newer", message: expect.stringContaining("use a newer `d2-server`") };
    await expect(migrate(place)).rejects.toMatchObject(refusal);
    await expect(openStorage({ ...place, migrate: true })).rejects.toMatchObject(refusal);
    await expect(openStorage(place)).rejects.toMatchObject(refusal);
  });
});

describe("opening", () => {
  it("makes SQLite's file for its owner only", async () => {
    const place = await databases.fresh("sqlite");
    await (await openStorage({ ...place, migrate: true })).close();
    expect(statSync(place.file).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(place.file)).mode & 0o777).toBe(0o700);
  });

  it.each([
    "mysql://root:hunter2@127.0.0.1/x",
    "postgres://root:hunter2@127.0.0.1:1/x",
    "postgres://hunter2:hunter2@[",
  ])("says that %s is not reached, without its password", async (url) => {
    const error: unknown = await openStorage({ url, file: "unused" }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "StorageError", code: "unreachable" });
    expect(JSON.stringify(error) + String(error)).not.toContain("hunter2");
  });
});

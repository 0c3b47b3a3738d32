import pg from "pg";
import { describe, expect, it } from "vitest";
import { openStorage } from "../src/storage/open-storage.js";
import type { Change, Storage } from "../src/storage/storage.js";
import { databaseKinds, testDatabases } from "./databases.js";
import { appRow, fillAccounts, tokenRow, versionRow } from "./storage-rows.js";

const databases = testDatabases();
/** Longer than a test may take. */
const NEVER = 3_600_000;

/** What a storage tells, and a promise for the next change of a kind and id. */
function changesOf(storage: Storage) {
  const told: Change[] = [];
  const waiting = new Set<() => void>();
  const stop = storage.watch((change) => {
    told.push(change);
    for (const look of waiting) look();
  });
  const heard = (kind: Change["kind"], id: string) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!told.some((change) => change.kind === kind && change.id === id)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { told, heard, stop };
}

describe.each(databaseKinds)("watching %s", (kind) => {
  it("tells each kind of change, in order, and nothing of what failed", async () => {
    const storage = await openStorage({
      ...(await databases.fresh(kind)),
      migrate: true,
      pollInterval: NEVER,
    });
    await fillAccounts(storage);
    const { told, heard } = changesOf(storage);
    await storage.createToken(tokenRow("tok_1"));
    await storage.createApp(appRow("app_2", "acc_1", "app_1"));
    await storage.publish(versionRow("one", { expectedVersion: 7 }));
    await storage.revokeToken("acc_1", "tok_9", 1);
    await storage.createToken(tokenRow("tok_1")).catch(() => undefined);
    await storage.publish(versionRow("one"));
    await storage.revokeToken("acc_1", "tok_1", 1);
    await storage.createAccount({ id: "acc_3", name: "three", plan: "free", createdAt: 3 });
    await heard("account", "acc_3");
    expect(told.map((change) => `${change.kind} ${change.id}`)).toEqual([
      "account acc_1",
      "account acc_2",
      "app app_1",
      "token tok_1",
      "app app_1",
      "token tok_1",
      "account acc_3",
    ]);
    await storage.close();
  });

  it("goes on for others when a listener throws or stops", async () => {
    const storage = await openStorage({ ...(await databases.fresh(kind)), migrate: true });
    storage.watch(() => {
      throw new Error("no");
    });
    const stopped = changesOf(storage);
    stopped.stop();
    const { heard } = changesOf(storage);
    await fillAccounts(storage);
    await heard("app", "app_1");
    expect(stopped.told).toEqual([]);
    await storage.close();
  });

  it("tells what another process changed, if only by looking", async () => {
    const place = await databases.fresh(kind);
    const storage = await openStorage({ ...place, migrate: true, pollInterval: 20 });
    const other = await openStorage(place);
    const { heard } = changesOf(storage);
    await fillAccounts(other);
    await heard("app", "app_1");
    await Promise.all([storage.close(), other.close()]);
  });
});

describe("watching PostgreSQL", () => {
  it("hears of another server's changes, and again after its connection was cut", async () => {
    const place = await databases.fresh("postgres");
    const warned: string[] = [];
    const listening: (() => void)[] = [];
    const logger = {
      info: (_: object, line: string) => {
        if (line === "listening for changes") for (const heard of listening) heard();
      },
      warn: (_: object, line: string) => warned.push(line),
    };
    const nextListening = () => new Promise<void>((resolve) => listening.push(resolve));
    const storage = await openStorage({ ...place, migrate: true, pollInterval: NEVER, logger });
    const other = await openStorage({ ...place, pollInterval: NEVER });
    const ready = nextListening();
    const { heard } = changesOf(storage);
    await ready;
    await fillAccounts(other);
    await heard("app", "app_1");

    const again = nextListening();
    const admin = new pg.Client(place.url);
    await admin.connect();
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`);
    await admin.end();
    await again;
    expect(warned).toContain("not listening for changes; will reconnect");
    await other.createApp(appRow("app_2"));
    await heard("app", "app_2");
    expect(await storage.ready()).toBe(true);
    await Promise.all([storage.close(), other.close()]);
  });
});

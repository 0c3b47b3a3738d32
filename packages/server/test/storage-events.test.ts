import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStorage } from "../src/storage/open-storage.js";
import type { EventQuery, Storage, StoredEvent } from "../src/storage/storage.js";
import { databaseKinds, type FreshDatabase, testDatabases } from "./databases.js";
import { appRow, eventRow, fillAccounts, versionRow } from "./storage-rows.js";

const databases = testDatabases();
const HOUR = 3_600_000;

describe.each(databaseKinds)("events on %s", (kind) => {
  let storage: Storage;
  let place: FreshDatabase;

  beforeEach(async () => {
    place = await databases.fresh(kind);
    storage = await openStorage({ ...place, migrate: true, clock: () => 5000 });
    await fillAccounts(storage);
    await storage.createApp(appRow("app_2"));
  });

  afterEach(() => storage.close());

  const idsOf = async (query: Partial<EventQuery>) =>
    (await storage.events({ accountId: "acc_1", order: "oldest", limit: 1000, ...query })).map(
      ({ id }) => id,
    );

  it("come back as they were given, numbered in the order of arrival", async () => {
    const event = eventRow({
      user: "ä😀",
      payload: '{"a":"\\u0000\\"{}"}',
      reason: "role_mismatch",
      occurredAt: 77,
    });
    expect(
      await storage.ingest("acc_1", "app_1", "b1", [event, eventRow({ tool: null, user: null })], 900),
    ).toEqual({
      accepted: 2,
      duplicate: false,
    });
    await storage.ingest("acc_2", "app_3", "b1", [eventRow()], 901);
    await storage.ingest("acc_1", "app_2", "b2", [eventRow({ result: null })], 902);
    const found = await storage.events({ accountId: "acc_1", order: "oldest", limit: 9 });
    expect(found).toEqual([
      { ...event, id: "1", appId: "app_1", receivedAt: 900 },
      { ...eventRow({ tool: null, user: null }), id: "2", appId: "app_1", receivedAt: 900 },
      { ...eventRow({ result: null }), id: "3", appId: "app_2", receivedAt: 902 },
    ]);
  });

  it("are stored once a batch, also when it comes twice at once", async () => {
    const batch = [eventRow(), eventRow()];
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map((at) => storage.ingest("acc_1", "app_1", "batch", batch, at)),
    );
    expect(outcomes.map(({ accepted }) => accepted)).toEqual([2, 2, 2, 2]);
    expect(outcomes.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await storage.ingest("acc_1", "app_1", "batch", [eventRow()], 5)).toEqual({
      accepted: 2,
      duplicate: true,
    });
    expect(await idsOf({})).toEqual(["1", "2"]);
    expect(
      (await storage.rollups({ accountId: "acc_1", from: 0, to: 1e12 })).map(({ count }) => count),
    ).toEqual([2]);
  });

  it("of one app are not taken for another's because their batches have the same id", async () => {
    await storage.ingest("acc_1", "app_1", "batch", [eventRow()], 1);
    expect((await storage.ingest("acc_1", "app_2", "batch", [eventRow()], 1)).duplicate).toBe(false);
  });

  it("may be none, and the batch is known", async () => {
    expect(await storage.ingest("acc_1", "app_1", "b", [], 1)).toEqual({ accepted: 0, duplicate: false });
    expect(await storage.ingest("acc_1", "app_1", "b", [], 1)).toEqual({ accepted: 0, duplicate: true });
  });

  it("of an account that is not there are refused, and their batch is not remembered", async () => {
    const refusal = storage.ingest("acc_9", "app_1", "b", [eventRow()], 1);
    await expect(refusal).rejects.toMatchObject({ code: "unknown_account" });
    await storage.createAccount({ id: "acc_9", name: "nine", plan: "free", createdAt: 1 });
    expect((await storage.ingest("acc_9", "app_1", "b", [eventRow()], 1)).duplicate).toBe(false);
  });

  it("are found by each of their fields, and by all of them", async () => {
    const denied = { result: "denied", reason: "role_mismatch", user: "bob", tool: "delete", type: "other" };
    await storage.ingest("acc_1", "app_1", "b1", [eventRow(), eventRow({ ...denied, occurredAt: 500 })], 1);
    await storage.ingest("acc_1", "app_2", "b2", [eventRow({ result: "denied" })], 1);
    for (const [field, value] of Object.entries(denied)) {
      expect(await idsOf({ [field]: value })).toEqual(field === "result" ? ["2", "3"] : ["2"]);
    }
    expect(await idsOf({ appId: "app_2" })).toEqual(["3"]);
    expect(await idsOf({ ...denied, appId: "app_1", from: 500, to: 501 })).toEqual(["2"]);
    expect(await idsOf({ to: 500 })).toEqual([]);
    expect(await idsOf({ from: 501 })).toEqual(["1", "3"]);
  });

  it("are told in pages, in both directions", async () => {
    const batch = Array.from({ length: 7 }, () => eventRow());
    await storage.ingest("acc_1", "app_1", "b", batch, 1);
    expect(await idsOf({ limit: 3 })).toEqual(["1", "2", "3"]);
    expect(await idsOf({ limit: 3, after: "3" })).toEqual(["4", "5", "6"]);
    expect(await idsOf({ limit: 3, after: "7" })).toEqual([]);
    expect(await idsOf({ limit: 3, order: "newest" })).toEqual(["7", "6", "5"]);
    expect(await idsOf({ limit: 3, order: "newest", after: "3" })).toEqual(["2", "1"]);
    await expect(idsOf({ after: "1 or 1=1" })).rejects.toMatchObject({ code: "invalid" });
  });

  it("that are few among many are found, whichever way one reads", async () => {
    for (let batch = 0; batch < 25; batch++) {
      const events = Array.from({ length: 1000 }, (_, index) =>
        eventRow({ user: batch % 12 === 0 && index === 0 ? "rare" : "many" }),
      );
      await storage.ingest("acc_1", "app_1", `b${batch}`, events, batch);
    }
    const rare = ["1", "12001", "24001"];
    expect(await idsOf({ user: "rare" })).toEqual(rare);
    expect(await idsOf({ user: "rare", order: "newest" })).toEqual(rare.toReversed());
    expect(await idsOf({ user: "rare", limit: 2, after: "1" })).toEqual(rare.slice(1));
  });

  it("that are too long to be found by all of it are found, and lose nothing of what they carry", async () => {
    const long = "😀".repeat(2000);
    const event = eventRow({
      tool: long,
      result: long,
      reason: long,
      user: long,
      payload: JSON.stringify(long),
    });
    await storage.ingest("acc_1", "app_1", "b", [event, event], 1);
    const found = await storage.events({ accountId: "acc_1", result: long, order: "oldest", limit: 9 });
    expect(found.map(({ payload }) => payload)).toEqual([event.payload, event.payload]);
  });

  it("are counted by hour, app, tool, result and reason, when they have a result", async () => {
    const batch = [
      eventRow({ occurredAt: HOUR }),
      eventRow({ occurredAt: 2 * HOUR - 1 }),
      eventRow({ occurredAt: 2 * HOUR }),
      eventRow({ occurredAt: HOUR, result: "denied", reason: "role_mismatch", tool: null }),
      eventRow({ occurredAt: HOUR, result: null }),
    ];
    await storage.ingest("acc_1", "app_1", "b1", batch, 1);
    await storage.ingest("acc_1", "app_1", "b2", batch, 1);
    await storage.ingest("acc_1", "app_2", "b3", [eventRow({ occurredAt: HOUR })], 1);
    const first = { appId: "app_1", hour: HOUR, tool: "search", result: "allowed", reason: "", count: 4 };
    const denied = { ...first, tool: "", result: "denied", reason: "role_mismatch", count: 2 };
    const second = { ...first, appId: "app_2", count: 1 };
    const later = { ...first, hour: 2 * HOUR, count: 2 };
    const query = { accountId: "acc_1", from: HOUR, to: 3 * HOUR };
    expect(await storage.rollups(query)).toEqual([denied, first, second, later]);
    expect(await storage.rollups({ ...query, from: HOUR + 5, to: 2 * HOUR, appId: "app_2" })).toEqual([
      second,
    ]);
  });

  it("never come to light below an id that a reader has seen", async () => {
    // Two storages, as two servers have; the reader goes on from what it saw, as `d2 events --follow` does.
    const other = await openStorage({ ...place, clock: () => 5000 });
    const seen: string[] = [];
    let after: string | undefined;
    const follow = async () => {
      const page = await storage.events({ accountId: "acc_1", order: "oldest", limit: 500, after });
      for (const { id } of page) seen.push(id);
      after = page.at(-1)?.id ?? after;
    };
    let writing = true;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let batch = 0; batch < 8; batch++) {
        const size = 1 + ((writer * 7 + batch * 13) % 40);
        const to = writer % 2 === 0 ? storage : other;
        await to.ingest(
          "acc_1",
          "app_1",
          `${writer}/${batch}`,
          Array.from({ length: size }, () => eventRow()),
          1,
        );
      }
    });
    const reader = (async () => {
      while (writing) await follow();
    })();
    await Promise.all(writers);
    writing = false;
    await reader;
    await follow();
    await follow();
    await other.close();
    expect(seen).toEqual(await idsOf({ limit: 5000 }));
    expect(seen.at(-1)).toBe(String(seen.length));
  });

  it("from before an instant go, with their batch ids and with nonces, and counts stay", async () => {
    for (let batch = 0; batch < 6; batch++) {
      const events = Array.from({ length: 900 }, () => eventRow());
      await storage.ingest("acc_1", "app_1", `b${batch}`, events, batch);
    }
    await storage.ingest("acc_2", "app_3", "b", [eventRow()], 1);
    await storage.publish(versionRow("one", { nonce: { value: "old", until: 3 }, publishedAt: 1 }));
    await storage.publish(versionRow("two", { nonce: { value: "new", until: 5 }, publishedAt: 1 }));
    expect(await storage.removeBefore(4)).toBe(4 * 900 + 1);
    expect(await storage.removeBefore(4)).toBe(0);
    const left = await idsOf({ limit: 9999 });
    expect([left.length, left[0]]).toEqual([1800, "3601"]);
    expect(
      (await storage.rollups({ accountId: "acc_1", from: 0, to: 1e12 })).map(({ count }) => count),
    ).toEqual([5400]);
    expect((await storage.ingest("acc_1", "app_1", "b5", [eventRow()], 9)).duplicate).toBe(true);
    expect((await storage.ingest("acc_1", "app_1", "b0", [eventRow()], 9)).duplicate).toBe(false);
    const nonces = ["old", "new"].map((value) =>
      storage.publish(versionRow("n", { nonce: { value, until: 9 }, publishedAt: 1 })),
    );
    expect((await Promise.all(nonces)).map(({ outcome }) => outcome)).toEqual(["published", "replayed"]);
    const after: readonly StoredEvent[] = await storage.events({
      accountId: "acc_1",
      order: "newest",
      limit: 1,
    });
    expect(after[0]?.id).toBe("5401");
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStorage } from "../src/storage/open-storage.js";
import type { SigningKey, Storage } from "../src/storage/storage.js";
import { databaseKinds, testDatabases } from "./databases.js";
import { appRow, eventRow, fillAccounts, tokenRow, versionRow } from "./storage-rows.js";

const databases = testDatabases();

const signingKey = (kid: string, createdAt: number): SigningKey => ({
  kid,
  alg: "RS256",
  publicJwk: "{}",
  sealed: "c2VhbGVk",
  createdAt,
  signsFrom: createdAt,
  listedUntil: null,
  rotation: createdAt === 1 ? null : { id: `rotation to ${kid}`, reason: "scheduled" },
});

const uploaderKey = (accountId: string, publicKey: string) => ({
  accountId,
  keyId: "ed_000000000001",
  publicKey,
  createdAt: 5,
  revokedAt: null,
});

describe.each(databaseKinds)("storage on %s", (kind) => {
  let storage: Storage;

  beforeEach(async () => {
    storage = await openStorage({ ...(await databases.fresh(kind)), migrate: true, clock: () => 5000 });
    await fillAccounts(storage);
  });

  afterEach(() => storage.close());

  it("is ready", async () => {
    expect([storage.database, await storage.ready()]).toEqual([kind, true]);
  });

  it("is not ready once it was closed, and can be closed twice", async () => {
    await storage.close();
    await storage.close();
    expect(await storage.ready()).toBe(false);
    await expect(storage.accounts()).rejects.toThrow();
  });

  it("gives back accounts and apps as they were given", async () => {
    expect((await storage.accounts()).map(({ id }) => id)).toEqual(["acc_1", "acc_2"]);
    expect(await storage.account("acc_2")).toEqual({ id: "acc_2", name: "two", plan: "free", createdAt: 2 });
    expect(await storage.account("acc_3")).toBeUndefined();
    expect(await storage.app("acc_1", "app_1")).toEqual(appRow("app_1"));
  });

  it("lets an account have a name of an app once, and another account have the same", async () => {
    expect(await storage.createApp(appRow("app_2", "acc_1", "app_1"))).toBe(false);
    expect(await storage.createApp(appRow("app_3", "acc_2", "app_1"))).toBe(true);
    expect((await storage.appByName("acc_2", "app_1"))?.id).toBe("app_3");
    expect([await storage.countApps("acc_1"), await storage.countApps("acc_2")]).toEqual([1, 1]);
  });

  it("lists apps by the bytes of their names", async () => {
    for (const name of ["b", "B", "a", "_"]) await storage.createApp(appRow(`app_${name}`, "acc_2", name));
    expect((await storage.apps("acc_2")).map(({ name }) => name)).toEqual(["B", "_", "a", "b"]);
  });

  it("finds only the account's own things", async () => {
    await storage.createToken(tokenRow("tok_1"));
    await storage.registerUploaderKey(uploaderKey("acc_1", "key"));
    await storage.publish(versionRow("one"));
    await storage.ingest("acc_1", "app_1", "batch", [eventRow()], 1);
    expect(await storage.app("acc_2", "app_1")).toBeUndefined();
    expect(await storage.tokens("acc_2")).toEqual([]);
    expect(await storage.uploaderKey("acc_2", "ed_000000000001")).toBeUndefined();
    expect(await storage.revokeToken("acc_2", "tok_1", 9)).toBe(false);
    expect(await storage.revokeUploaderKey("acc_2", "ed_000000000001", 9)).toBe(false);
    expect(await storage.revokeApp("acc_2", "app_1", 9)).toBe(false);
    expect(await storage.events({ accountId: "acc_2", appId: "app_1", order: "newest", limit: 9 })).toEqual(
      [],
    );
    expect(await storage.rollups({ accountId: "acc_2", appId: "app_1", from: 0, to: 1e12 })).toEqual([]);
  });

  it("finds tokens by digest, and revokes them once", async () => {
    await storage.createToken(tokenRow("tok_1"));
    expect(await storage.tokenByDigest("digest of tok_1")).toEqual(tokenRow("tok_1"));
    expect(await storage.revokeToken("acc_1", "tok_1", 20)).toBe(true);
    expect(await storage.revokeToken("acc_1", "tok_1", 30)).toBe(false);
    expect((await storage.tokenByDigest("digest of tok_1"))?.revokedAt).toBe(20);
  });

  it("writes last uses of many tokens, and never an older one", async () => {
    for (const id of ["tok_1", "tok_2", "tok_3"]) await storage.createToken(tokenRow(id));
    await storage.touchTokens(
      new Map([
        ["tok_1", 50],
        ["tok_2", 60],
      ]),
    );
    await storage.touchTokens(
      new Map([
        ["tok_2", 55],
        ["tok_1", 70],
        ["gone", 1],
      ]),
    );
    await storage.touchTokens(new Map());
    expect((await storage.tokens("acc_1")).map(({ lastUsedAt }) => lastUsedAt)).toEqual([70, 60, null]);
  });

  it("registers an uploader key once, and its id for no other key and no second time", async () => {
    expect(await storage.registerUploaderKey(uploaderKey("acc_1", "key"))).toBe("registered");
    expect(await storage.registerUploaderKey(uploaderKey("acc_1", "key"))).toBe("known");
    expect(await storage.registerUploaderKey(uploaderKey("acc_1", "other"))).toBe("taken");
    expect(await storage.registerUploaderKey(uploaderKey("acc_2", "other"))).toBe("registered");
    expect(await storage.revokeUploaderKey("acc_1", "ed_000000000001", 9)).toBe(true);
    expect(await storage.registerUploaderKey(uploaderKey("acc_1", "key"))).toBe("taken");
    expect(await storage.uploaderKeys("acc_1")).toEqual([{ ...uploaderKey("acc_1", "key"), revokedAt: 9 }]);
  });

  it("lets one of several first signing keys win", async () => {
    const tries = ["a", "b", "c"].map((kid) => storage.addFirstSigningKey(signingKey(kid, 1)));
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    expect(await storage.signingKeys()).toHaveLength(1);
  });

  it("ends the listing of the keys before a new one, and never later than it was to end", async () => {
    await storage.addFirstSigningKey(signingKey("a", 1));
    await storage.addSigningKey(signingKey("b", 2), 100);
    await storage.addSigningKey(signingKey("c", 3), 200);
    await storage.addSigningKey(signingKey("d", 4), null);
    const keys = await storage.signingKeys();
    expect(keys.map(({ kid, listedUntil }) => [kid, listedUntil])).toEqual([
      ["a", 100],
      ["b", 200],
      ["c", null],
      ["d", null],
    ]);
    expect(keys[1]).toEqual({ ...signingKey("b", 2), listedUntil: 200 });
  });

  it("numbers versions from 1, and keeps each to the byte", async () => {
    const text = "\ufeffname: ä€😀\r\n\tlast\0line";
    expect(await storage.publish(versionRow("one"))).toMatchObject({
      outcome: "published",
      version: { version: 1, text: "one" },
    });
    const second = await storage.publish(versionRow(text, { rollbackOf: 1, keyId: null, signature: null }));
    expect(second.outcome === "published" && second.version).toEqual(await storage.version("app_1", 2));
    expect((await storage.version("app_1", 2))?.text).toBe(text);
    expect(await storage.version("app_1", 3)).toBeUndefined();
    const listed = await storage.versions("app_1", 5);
    expect(listed.map(({ version, rollbackOf }) => [version, rollbackOf])).toEqual([
      [2, 1],
      [1, null],
    ]);
    expect(listed[0]).not.toHaveProperty("text");
    expect((await storage.app("acc_1", "app_1"))?.currentVersion).toBe(2);
  });

  it("gives one winner of those who publish on the same version at once", async () => {
    const racers = Array.from({ length: 6 }, (_, racer) =>
      storage.publish(versionRow(`by ${racer}`, { expectedVersion: 0 })),
    );
    const outcomes = await Promise.all(racers);
    expect(outcomes.filter(({ outcome }) => outcome === "published")).toHaveLength(1);
    expect(outcomes.filter((each) => each.outcome === "conflict" && each.currentVersion === 1)).toHaveLength(
      5,
    );
    expect(await storage.versions("app_1", 9)).toHaveLength(1);
  });

  it("gives each its number when those who publish at once expect nothing", async () => {
    const racers = Array.from({ length: 6 }, (_, racer) => storage.publish(versionRow(`by ${racer}`)));
    const numbers = (await Promise.all(racers)).map((each) =>
      each.outcome === "published" ? each.version.version : 0,
    );
    expect(numbers.sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("takes a nonce once, also from those who come at once, and keeps none of a publication that lost", async () => {
    const nonce = { value: "n1", until: 2000 };
    const outcomes = await Promise.all([1, 2, 3].map(() => storage.publish(versionRow("text", { nonce }))));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(["published", "replayed", "replayed"]);
    const second = { value: "n2", until: 2000 };
    expect(await storage.publish(versionRow("lost", { nonce: second, expectedVersion: 0 }))).toEqual({
      outcome: "conflict",
      currentVersion: 1,
    });
    const again = await storage.publish(versionRow("won", { nonce: second, expectedVersion: 1 }));
    expect(again.outcome).toBe("published");
  });

  it("refuses to publish for an app that is not there", async () => {
    const refusal = storage.publish(versionRow("text", { appId: "app_9" }));
    await expect(refusal).rejects.toMatchObject({ code: "unknown_app" });
  });

  it("revokes what was published, once, until the next version", async () => {
    expect(await storage.revokeApp("acc_1", "app_1", 20)).toBe(false);
    await storage.publish(versionRow("one"));
    expect(await storage.revokeApp("acc_1", "app_1", 20)).toBe(true);
    expect(await storage.revokeApp("acc_1", "app_1", 30)).toBe(false);
    expect((await storage.app("acc_1", "app_1"))?.revokedAt).toBe(20);
    await storage.publish(versionRow("two"));
    expect((await storage.app("acc_1", "app_1"))?.revokedAt).toBeNull();
  });

  it("replaces a draft, removes it when it is published, and keeps it through a rollback", async () => {
    const draft = {
      appId: "app_1",
      text: "draft",
      format: "json" as const,
      baseVersion: 0,
      updatedAt: 3,
      updatedBy: "tok_1",
      diagnostics: "[]",
    };
    await storage.saveDraft(draft);
    await storage.saveDraft({ ...draft, text: "newer", baseVersion: 2 });
    expect(await storage.draft("app_1")).toEqual({ ...draft, text: "newer", baseVersion: 2 });
    await storage.publish(versionRow("old", { rollbackOf: 1 }));
    expect(await storage.draft("app_1")).toBeDefined();
    await storage.publish(versionRow("newer"));
    expect(await storage.draft("app_1")).toBeUndefined();
  });

  it.each(["'; drop table accounts; --", '" or 1=1 --', "a\0b", "\ud800", "$1", "?", "%", "{a,b}", "\\"])(
    "takes %j for nothing but a text",
    async (text) => {
      expect(await storage.app("acc_1", text)).toBeUndefined();
      expect(await storage.tokenByDigest(text)).toBeUndefined();
      await storage.createApp(appRow("app_2", "acc_1", text));
      expect((await storage.appByName("acc_1", text))?.id).toBe("app_2");
      const event = eventRow({
        type: text,
        tool: text,
        user: text,
        result: text,
        reason: text,
        payload: text,
      });
      await storage.ingest("acc_1", text, text, [event, event], 1);
      const query = { accountId: "acc_1", appId: text, user: text, tool: text, result: text, reason: text };
      expect(await storage.events({ ...query, type: text, order: "oldest", limit: 9 })).toHaveLength(2);
      expect(await storage.rollups({ ...query, from: 0, to: 1e12 })).toHaveLength(1);
      expect(await storage.accounts()).toHaveLength(2);
    },
  );

  it("says what the database refused without the values", async () => {
    const refusal = storage.createAccount({ id: "acc_1", name: "secret name", plan: "free", createdAt: 1 });
    const error: unknown = await refusal.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "StorageError", code: "failed" });
    expect(JSON.stringify(error) + String(error)).not.toMatch(/secret|acc_1/);
  });
});

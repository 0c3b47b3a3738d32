import { chmod, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { baseServices } from "../src/server.js";
import { createSettings, type SettingsInput } from "../src/settings.js";
import { newSealedKey, openKey } from "../src/signing/sealed-key.js";
import { readServerKey } from "../src/signing/server-key.js";
import { SigningKeys } from "../src/signing/signing-keys.js";
import { openStorage } from "../src/storage/open-storage.js";
import type { Storage } from "../src/storage/storage.js";
import { controlPlane, policyText, SERVER_KEY, verified } from "./control-plane.js";
import { databaseKinds, type FreshDatabase, testDatabases } from "./databases.js";

const databases = testDatabases();
const bytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));

async function opened(database: FreshDatabase): Promise<Storage> {
  const storage = await openStorage({ ...database, migrate: true, pollInterval: 50 });
  onTestFinished(() => storage.close());
  return storage;
}

async function signingKeys(storage: Storage, more: SettingsInput = {}, time = { now: 1_000_000 }) {
  const settings = createSettings({ signingAlgorithm: "EdDSA", serverKey: SERVER_KEY, ...more });
  const lines: string[] = [];
  const logger = pino({ level: "info" }, { write: (line) => lines.push(line) });
  const services = baseServices({ storage, clock: () => time.now, logger }, settings, () => false);
  const keys = await SigningKeys.open(services);
  onTestFinished(() => keys.close());
  return { keys, time, lines };
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "d2-signing-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe("the first signing key", () => {
  it.each(databaseKinds)("is one, also when several servers start at once (%s)", async (kind) => {
    const database = await databases.fresh(kind);
    const storages = [await opened(database), await opened(database), await opened(database)];
    const all = await Promise.all(storages.map((storage) => signingKeys(storage)));
    const kids = all.map(({ keys }) => keys.keys().map(({ kid }) => kid));
    expect(kids[0]).toHaveLength(1);
    expect(kids).toEqual([kids[0], kids[0], kids[0]]);
    const signed = await Promise.all(all.map(({ keys, time }) => keys.signer(time.now)?.sign("{}")));
    expect(new Set(signed).size).toBe(1);
  });

  it("stands in the database sealed, and only the server's key opens it", async () => {
    const storage = await opened(await databases.fresh("sqlite"));
    const { lines } = await signingKeys(storage);
    const [key] = await storage.signingKeys();
    if (key === undefined) throw new Error("no key");
    const serverKey = Buffer.from(SERVER_KEY, "base64");
    const secret = openKey(key, serverKey)?.export({ format: "jwk" }).d ?? "";
    expect(secret).toHaveLength(43);
    expect(JSON.stringify(key) + lines.join("")).not.toContain(secret);
    expect(JSON.parse(key.publicJwk)).not.toHaveProperty("d");
    expect(openKey(key, bytes(32))).toBeUndefined();
  });

  it("cannot be opened as another key, or once its seal was changed", async () => {
    const serverKey = bytes(32);
    const [one, other] = [
      await newSealedKey("EdDSA", serverKey, bytes),
      await newSealedKey("EdDSA", serverKey, bytes),
    ];
    expect(openKey(one, serverKey)).toBeDefined();
    expect(openKey({ ...other, sealed: one.sealed }, serverKey)).toBeUndefined();
    expect(openKey({ ...one, publicJwk: other.publicJwk }, serverKey)).toBeUndefined();
    const changed = Buffer.from(one.sealed, "base64");
    changed[40] = (changed[40] ?? 0) ^ 1;
    expect(openKey({ ...one, sealed: changed.toString("base64") }, serverKey)).toBeUndefined();
    expect(openKey({ ...one, sealed: "" }, serverKey)).toBeUndefined();
  });

  it("stops a server that has another key from starting", async () => {
    const storage = await opened(await databases.fresh("sqlite"));
    await signingKeys(storage);
    const another = Buffer.alloc(32, 9).toString("base64");
    await expect(signingKeys(storage, { serverKey: another })).rejects.toMatchObject({
      code: "settings_invalid",
      message: expect.stringContaining("another server key"),
    });
  });
});

describe("the key that seals", () => {
  const randomBytes = bytes;

  it("is a file of its owner's only, made once, however many make it at once", async () => {
    const dataFolder = join(await folder(), "data");
    const settings = createSettings({ dataFolder });
    const read = () => readServerKey({ settings, randomBytes, mayMake: true });
    const keys = await Promise.all([read(), read(), read()]);
    expect(keys[0]).toHaveLength(32);
    expect(keys.map((key) => Buffer.from(key).toString("hex"))).toEqual(
      Array(3).fill(Buffer.from(keys[0]).toString("hex")),
    );
    const file = join(dataFolder, "server.key");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(dataFolder)).mode & 0o777).toBe(0o700);
    expect(Buffer.from(await readFile(file, "utf8"), "base64")).toEqual(Buffer.from(keys[0]));
  });

  it("is refused where others may read it, where it is damaged, and where a sealed key needs an older one", async () => {
    const dataFolder = await folder();
    const settings = createSettings({ dataFolder });
    await expect(readServerKey({ settings, randomBytes, mayMake: false })).rejects.toThrow(/put a copy back/);
    await readServerKey({ settings, randomBytes, mayMake: true });
    await chmod(join(dataFolder, "server.key"), 0o640);
    await expect(readServerKey({ settings, randomBytes, mayMake: true })).rejects.toThrow(/chmod 600/);
    const short = createSettings({ serverKey: "c2hvcnQ=" });
    await expect(readServerKey({ settings: short, randomBytes, mayMake: true })).rejects.toThrow(/32 bytes/);
  });
});

describe("a rotation", () => {
  it("lists the key at once, signs after the lead, and tells of it for a day", async () => {
    const server = await controlPlane({ bundleLifetimeSeconds: 604_800, rotationLeadSeconds: 600 });
    await server.publish(policyText());
    const bundle = async () => {
      const { json } = await server.call("GET", "/v1/policy/bundle", { token: server.runtime });
      return { etag: json.etag, ...(await verified(server, json.jws)) };
    };
    const before = await bundle();
    const rotate = { token: server.admin, json: { reason: "yearly" } };
    const { json: key } = await server.call("POST", "/v1/signing-keys/rotate", rotate);
    const listed = async () =>
      (await server.call("GET", "/.well-known/jwks.json")).json.keys.map((it: { kid: string }) => it.kid);
    expect(await listed()).toEqual([before.header.kid, key.kid]);
    const effect = server.time.now + 600_000;
    server.time.now = effect - 1;
    expect(await bundle()).toEqual(before);
    server.time.now = effect;
    const after = await bundle();
    expect(after.etag).not.toBe(before.etag);
    expect(after.header).toEqual({
      alg: "EdDSA",
      kid: key.kid,
      jwks_refresh: true,
      rotation_id: key.rotation.id,
      timestamp: new Date(effect).toISOString(),
      reason: "yearly",
      new_kid: key.kid,
    });
    server.time.now = effect + 86_400_000;
    const later = await bundle();
    expect(later.header).toEqual({ alg: "EdDSA", kid: key.kid });
    expect(later.etag).not.toBe(after.etag);
    // The last bundle of the old key is valid for seven days at most from when the new one began.
    server.time.now = effect + 604_800_000;
    expect(await listed()).toEqual([before.header.kid, key.kid]);
    server.time.now += 60_000;
    expect(await listed()).toEqual([key.kid]);
  });

  it("at once signs at once, and a scheduled one that has not begun never does", async () => {
    const storage = await opened(await databases.fresh("sqlite"));
    const { keys, time } = await signingKeys(storage);
    await keys.rotate({ immediate: false });
    const now = await keys.rotate({ immediate: true, alg: "RS256" });
    expect(now.alg).toBe("RS256");
    for (const later of [0, 600_000, 86_400_000]) expect(keys.signer(time.now + later)?.kid).toBe(now.kid);
  });

  it.each(databaseKinds)("is heard of by other servers (%s)", async (kind) => {
    const database = await databases.fresh(kind);
    const [one, other] = [
      await signingKeys(await opened(database)),
      await signingKeys(await opened(database)),
    ];
    const key = await one.keys.rotate({ immediate: true });
    await vi.waitFor(() => expect(other.keys.signer(other.time.now)?.kid).toBe(key.kid), { timeout: 5000 });
    expect(other.keys.keys()).toEqual(one.keys.keys());
    expect(await other.keys.signer(other.time.now)?.sign("{}")).toBe(
      await one.keys.signer(one.time.now)?.sign("{}"),
    );
  });

  it("of keys that somebody has written into the database has no effect but an error", async () => {
    const storage = await opened(await databases.fresh("sqlite"));
    const { keys, time, lines } = await signingKeys(storage);
    const own = keys.keys();
    const foreign = await newSealedKey("EdDSA", bytes(32), bytes);
    const key = { ...foreign, createdAt: time.now + 1, signsFrom: 0, listedUntil: null, rotation: null };
    await storage.addSigningKey(key, null);
    await vi.waitFor(() => expect(keys.ready()).toBe(false), { timeout: 5000 });
    expect(keys.keys()).toEqual(own);
    expect(keys.signer(time.now)?.kid).toBe(own[0]?.kid);
    expect(lines.join("")).toContain("cannot be opened");
  });
});

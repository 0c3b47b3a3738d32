import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStorage } from "../src/storage/open-storage.js";
import { databaseKinds, testDatabases } from "./databases.js";
import { eventRow, fillAccounts } from "./storage-rows.js";

const databases = testDatabases();
const folder = mkdtempSync(join(tmpdir(), "d2-storage-kill-"));
const program = join(folder, "storage-writer.mjs");

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

beforeAll(async () => {
  symlinkSync(pathOf("../../../node_modules"), join(folder, "node_modules"));
  const bundle = await rolldown({
    input: pathOf("fixtures/storage-writer.ts"),
    platform: "node",
    external: /^[^./]/,
    resolve: { extensionAlias: { ".js": [".ts"] } },
  });
  await bundle.write({ file: program, format: "esm" });
  await bundle.close();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Lets a process write, and kills it soon after it has said that something was stored. @returns the lines it said */
function killWriter(args: readonly string[], milliseconds: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      if (said === "") setTimeout(() => child.kill("SIGKILL"), milliseconds);
      said += chunk;
    });
    child.on("error", reject);
    // What follows the last line break was not said to its end.
    child.on("close", () => resolve(said.split("\n").slice(0, -1)));
  });
}

describe.each(databaseKinds)("a process that is killed while it writes to %s", (kind) => {
  it("has lost nothing that was acknowledged, and left nothing half done", { timeout: 120_000 }, async () => {
    const place = await databases.fresh(kind);
    const first = await openStorage({ ...place, migrate: true });
    await fillAccounts(first);
    await first.close();
    const said: string[] = [];
    for (let run = 0; run < 8; run++) {
      said.push(...(await killWriter([`${run}`, place.file, place.url ?? ""], Math.random() * 150)));
    }

    const storage = await openStorage(place);
    // PostgreSQL may still be at what it was last asked to do; this waits for it.
    await storage.ingest("acc_1", "app_1", "end", [eventRow({ user: "end" })], 1);
    const stored = new Map<string | null, number>();
    for (let after: string | undefined; ; ) {
      const page = await storage.events({ accountId: "acc_1", order: "oldest", limit: 5000, after });
      for (const { user } of page) stored.set(user, (stored.get(user) ?? 0) + 1);
      after = page.at(-1)?.id;
      if (after === undefined) break;
    }
    const events = [...stored.values()].reduce((sum, count) => sum + count, 0);
    expect(stored.get("end")).toBe(1);
    stored.delete("end");
    expect(new Set(stored.values())).toEqual(new Set([20]));
    const batches = said.filter((line) => line.startsWith("e ")).map((line) => line.slice(2));
    expect(batches.length).toBeGreaterThanOrEqual(8);
    expect(batches.filter((batch) => !stored.has(batch))).toEqual([]);
    const rollups = await storage.rollups({ accountId: "acc_1", from: 0, to: 1e12 });
    expect(rollups.map(({ count }) => count)).toEqual([events]);
    expect(await storage.events({ accountId: "acc_1", order: "newest", limit: 1 })).toMatchObject([
      { id: `${events}` },
    ]);

    const versions = (await storage.versions("app_1", 100_000)).map(({ version }) => version).reverse();
    expect(versions).toEqual(versions.map((_, index) => index + 1));
    expect((await storage.app("acc_1", "app_1"))?.currentVersion).toBe(versions.length);
    const published = said.filter((line) => line.startsWith("v ")).map((line) => Number(line.slice(2)));
    expect(published.filter((version) => version > versions.length)).toEqual([]);
    expect(new Set(published).size).toBe(published.length);
    await storage.close();
  });
});

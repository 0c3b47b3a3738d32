import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { databaseKinds, testDatabases } from "../../packages/server/test/databases.js";
import { BATCH, Load } from "./load.js";
import { ask } from "./publisher.js";
import { bootstrap, ServerProcess } from "./server-process.js";

/** Kills on both databases together. `D2_KILLS` sets another number. */
const KILLS = Number(process.env["D2_KILLS"] || 20);

/** Every so many kills one comes while the server starts. */
const EARLY = 5;

const databases = testDatabases();
const folder = mkdtempSync(join(tmpdir(), "d2-kill-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Lasts until some moment or other of the next milliseconds: which one must not matter. */
const someMoment = (most: number) => pause(Math.random() * most);

describe.each(databaseKinds)("a server on %s that is killed while it works", (kind) => {
  it("has lost nothing that it acknowledged, doubled nothing, and starts again by itself", {
    timeout: 60_000 + KILLS * 10_000,
  }, async () => {
    const { url: databaseUrl } = await databases.fresh(kind);
    const environment = {
      D2_SERVER_DATA: join(folder, kind),
      D2_SERVER_RATE_BY_ADDRESS: "0",
      D2_SERVER_RATE_BY_TOKEN: "0",
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    };
    const tokens = await bootstrap(environment, "shop");
    let server = new ServerProcess(environment);
    onTestFinished(() => server.kill());
    const load = new Load(tokens, await server.listening());
    load.start();
    let kills = 0;
    const relaunch = async (): Promise<string> => {
      await server.kill();
      kills++;
      if (kills % EARLY === 0) {
        server = new ServerProcess(environment);
        await someMoment(400);
        await server.kill();
        kills++;
      }
      server = new ServerProcess(environment);
      return server.listening();
    };
    while (kills < KILLS / 2) {
      // Not before this life of the server was of use.
      await load.acknowledgement();
      await someMoment(120);
      const back = relaunch();
      load.follow(back);
      await back;
      await load.checkLatest();
    }
    await load.end();
    expect(load.odd).toEqual([]);

    const url = await server.listening();
    const stored = new Map<unknown, number>();
    for (let cursor = "0"; ; ) {
      const path = `/v1/events?order=oldest&limit=1000&cursor=${cursor}`;
      const { body } = await ask(url, path, { token: tokens.developer });
      // Hold: it is what the route's schema says.
      const events = body["events"] as { payload: { user_id: string } }[];
      for (const { payload } of events) stored.set(payload.user_id, (stored.get(payload.user_id) ?? 0) + 1);
      if (events.length === 0) break;
      cursor = String(body["next_cursor"]);
    }
    const sent = load.batches.flatMap((id) => Array.from({ length: BATCH }, (_, index) => `${id}/${index}`));
    expect(sent.filter((event) => stored.get(event) !== 1)).toEqual([]);
    expect(stored.size).toBe(sent.length);
    const { body } = await ask(url, "/v1/events/rollups", { token: tokens.developer });
    const rollups = body["rollups"] as { count: number }[];
    expect(rollups.reduce((sum, { count }) => sum + count, 0)).toBe(sent.length);

    const versions = await load.live(1000);
    expect(versions.map(({ version }) => version)).toEqual(
      versions.map((_, index) => versions.length - index),
    );
    const digests = new Map(versions.map(({ version, content_sha256: digest }) => [version, digest]));
    expect(load.versions.filter(({ version, digest }) => digests.get(version) !== digest)).toEqual([]);
    expect(new Set(digests.values()).size).toBe(versions.length);
    expect([...digests.values()].filter((digest) => !load.digests.has(digest))).toEqual([]);
    expect(load.versions.length + load.unheard).toBe(versions.length);
    const bundle = await ask(url, "/v1/policy/bundle", { token: tokens.runtime });
    expect(bundle.body["version"]).toBe(versions.length);
    if (process.env["D2_KILLS"]) {
      const { resent, duplicates, unheard } = load;
      console.log(kind, {
        kills,
        events: sent.length,
        versions: versions.length,
        resent,
        duplicates,
        unheard,
      });
    }
  });
});

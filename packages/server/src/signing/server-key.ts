import { link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Settings, SettingsError } from "../settings.js";

const LENGTH = 32;

interface KeyPlace {
  readonly settings: Pick<Settings, "serverKey" | "dataFolder" | "databaseUrl" | "databaseFile">;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Whether a key file may be made; not when there is something that an earlier key has sealed. */
  readonly mayMake: boolean;
}

/**
 * The 32 bytes that encrypt signing keys: those of the setting, else those of the file `server.key` in the data folder. A
 * database that is only in memory has a key that is only in memory.
 *
 * @throws SettingsError when the key is not one, when others may read the file, or when it is missing and may not be made
 */
export async function readServerKey({ settings, randomBytes, mayMake }: KeyPlace): Promise<Uint8Array> {
  const { serverKey, dataFolder, databaseUrl, databaseFile } = settings;
  if (serverKey !== undefined) {
    const bytes = keyBytes(serverKey);
    if (bytes !== undefined) return bytes;
    throw new SettingsError(
      "`D2_SERVER_KEY` must be base64 of 32 bytes: `openssl rand -base64 32` makes one",
    );
  }
  if (databaseUrl === undefined && databaseFile === ":memory:") return randomBytes(LENGTH);
  const file = join(dataFolder, "server.key");
  const there = await readKeyFile(file);
  if (there !== undefined) return there;
  if (!mayMake) {
    throw new SettingsError(
      "the file `server.key` is not in the data folder, and the database has signing keys that it encrypts: put a copy back, or give the key as `D2_SERVER_KEY`",
    );
  }
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  await makeKeyFile(file, randomBytes);
  // Of several processes that make it at once one wins, and all use that one's.
  const made = await readKeyFile(file);
  if (made === undefined) throw new SettingsError("the file `server.key` was removed while it was made");
  return made;
}

function keyBytes(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === LENGTH && bytes.toString("base64") === text.trim() ? bytes : undefined;
}

async function readKeyFile(file: string): Promise<Uint8Array | undefined> {
  try {
    const { mode } = await stat(file);
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new SettingsError(
        "others may read the file `server.key`: `chmod 600` it, then rotate the keys at once",
      );
    }
    const bytes = keyBytes(await readFile(file, "utf8"));
    if (bytes !== undefined) return bytes;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  throw new SettingsError("the file `server.key` is damaged: put a copy back");
}

/** Written beside and then linked, so that nobody ever reads half a key, and none replaces another. */
async function makeKeyFile(file: string, randomBytes: KeyPlace["randomBytes"]): Promise<void> {
  const next = `${file}.${Buffer.from(randomBytes(6)).toString("hex")}.tmp`;
  const handle = await open(next, "wx", 0o600);
  try {
    await handle.writeFile(`${Buffer.from(randomBytes(LENGTH)).toString("base64")}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(next, file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await rm(next, { force: true });
  }
}

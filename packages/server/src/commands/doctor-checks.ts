import { createPrivateKey, X509Certificate } from "node:crypto";
import { constants } from "node:fs";
import { access, readFile, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createLogger } from "../server.js";
import type { Settings } from "../settings.js";
import { programSchema } from "../storage/migrations/migrations.js";
import { openStorage, schemaVersion } from "../storage/open-storage.js";
import { StorageError } from "../storage/storage-error.js";
import { databaseOptions } from "./shared-options.js";

/** What one check found, and, when it is wrong, how to mend it. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly says: string;
}

const LEAST_FREE_BYTES = 256 * 1024 * 1024;
/** How far the clocks of servers on one database may be apart, in milliseconds. */
const CLOCK_TOLERANCE = 60_000;

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

/** Whether the data folder, or the nearest one above it that is there, can be written and has room. */
export async function checkFolder({ dataFolder }: Settings): Promise<readonly Finding[]> {
  const name = "data folder";
  let folder = dataFolder;
  for (;;) {
    try {
      await access(folder, constants.W_OK | constants.X_OK);
      break;
    } catch (error) {
      const above = dirname(folder);
      if (codeOf(error) !== "ENOENT" || above === folder) {
        return [
          { name, ok: false, says: `cannot be written (${codeOf(error)}): change its owner, or \`--data\`` },
        ];
      }
      folder = above;
    }
  }
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const megabytes = Math.floor(free / 1_048_576);
  return free < LEAST_FREE_BYTES
    ? [{ name, ok: false, says: `only ${megabytes} MB are free: make room` }]
    : [{ name, ok: true, says: `can be written, ${megabytes} MB free` }];
}

/** Whether the key that encrypts signing keys is there and nobody else's to read. */
export async function checkServerKey({ serverKey, dataFolder }: Settings): Promise<readonly Finding[]> {
  const name = "server key";
  if (serverKey !== undefined) {
    const bytes = Buffer.from(serverKey, "base64");
    return bytes.length === 32 && bytes.toString("base64") === serverKey.trim()
      ? [{ name, ok: true, says: "D2_SERVER_KEY holds 32 bytes" }]
      : [
          {
            name,
            ok: false,
            says: "D2_SERVER_KEY must be base64 of 32 bytes: `openssl rand -base64 32` makes one",
          },
        ];
  }
  const file = join(dataFolder, "server.key");
  try {
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) {
      return [
        { name, ok: false, says: `others may read \`${file}\`: \`chmod 600\` it, then rotate the keys` },
      ];
    }
    return [{ name, ok: true, says: `\`${file}\` is there, for this user only` }];
  } catch (error) {
    if (codeOf(error) !== "ENOENT") {
      return [
        { name, ok: false, says: `\`${file}\` cannot be looked at (${codeOf(error)}): change its owner` },
      ];
    }
    return [{ name, ok: true, says: `\`${file}\` will be made at the first start; keep a copy of it` }];
  }
}

/** Whether certificate and key can be read, belong together, and are valid now. */
export async function checkCertificate({ tlsCert, tlsKey }: Settings): Promise<readonly Finding[]> {
  const name = "certificate";
  if (tlsCert === undefined || tlsKey === undefined) {
    return [{ name, ok: true, says: "none: TLS is for a proxy in front" }];
  }
  try {
    const certificate = new X509Certificate(await readFile(tlsCert));
    const key = createPrivateKey(await readFile(tlsKey));
    if (!certificate.checkPrivateKey(key)) {
      return [
        { name, ok: false, says: "`--tls-key` does not belong to `--tls-cert`: give the matching pair" },
      ];
    }
    const now = Date.now();
    return Date.parse(certificate.validFrom) <= now && now < Date.parse(certificate.validTo)
      ? [{ name, ok: true, says: `valid until ${certificate.validTo}` }]
      : [
          {
            name,
            ok: false,
            says: `valid from ${certificate.validFrom} to ${certificate.validTo}: renew it`,
          },
        ];
  } catch (error) {
    return [{ name, ok: false, says: `cannot be read (${codeOf(error)}): check the files and their owner` }];
  }
}

/** Whether the database answers, has the right schema and an account, and agrees with the clock. */
export async function checkDatabase(settings: Settings): Promise<readonly Finding[]> {
  const options = databaseOptions(settings);
  const name = "database";
  if (options.url === undefined) {
    try {
      await access(options.file, constants.R_OK | constants.W_OK);
    } catch (error) {
      const says =
        codeOf(error) === "ENOENT"
          ? "not made yet: `d2-server migrate`, then `d2-server bootstrap`"
          : `the file cannot be written (${codeOf(error)}): change its owner`;
      return [{ name, ok: false, says }];
    }
  }
  try {
    const version = await schemaVersion(options);
    if (version !== programSchema) {
      const mend = version < programSchema ? "run `d2-server migrate`" : "run a newer d2-server";
      return [
        { name, ok: true, says: "answers" },
        { name: "schema", ok: false, says: `is ${version}, and this program's is ${programSchema}: ${mend}` },
      ];
    }
    return [
      { name, ok: true, says: "answers" },
      { name: "schema", ok: true, says: `is ${version}` },
      ...(await checkContents(settings)),
    ];
  } catch (error) {
    const says = error instanceof StorageError ? error.message : `does not answer (${codeOf(error)})`;
    return [{ name, ok: false, says }];
  }
}

async function checkContents(settings: Settings): Promise<readonly Finding[]> {
  const storage = await openStorage({ ...databaseOptions(settings), logger: createLogger("silent") });
  try {
    const accounts = await storage.accounts();
    const keys = await storage.signingKeys();
    const latest = Math.max(0, ...[...accounts, ...keys].map(({ createdAt }) => createdAt));
    const behind = latest - Date.now();
    return [
      accounts.length > 0
        ? { name: "accounts", ok: true, says: `${accounts.length}` }
        : { name: "accounts", ok: false, says: "none yet: run `d2-server bootstrap`" },
      behind <= CLOCK_TOLERANCE
        ? { name: "clock", ok: true, says: new Date().toISOString() }
        : {
            name: "clock",
            ok: false,
            says: `${Math.ceil(behind / 1000)} s behind what the database has seen: set it by NTP`,
          },
    ];
  } finally {
    await storage.close();
  }
}

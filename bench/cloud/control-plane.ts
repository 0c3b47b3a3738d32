import { spawnSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { blake2s } from "@noble/hashes/blake2.js";
import type { Core } from "./cores.js";
import { startProgram } from "./program.js";

const MANIFEST = createRequire(import.meta.url).resolve("d2-server/package.json");
const SERVER = join(dirname(MANIFEST), "lib", "d2-server.js");

/** Limits that no load of the benchmarks reaches, so that they are worked out for each request as always. */
const UNREACHED = { D2_SERVER_RATE_BY_ADDRESS: "100000000", D2_SERVER_RATE_BY_TOKEN: "100000000" };

export interface Tokens {
  readonly runtime: string;
  readonly developer: string;
  readonly admin: string;
}

export interface ControlPlaneOptions {
  readonly core?: Core;
  /** Default: SQLite in a folder of its own. */
  readonly databaseUrl?: string | undefined;
  readonly environment?: NodeJS.ProcessEnv;
}

/** A process of `d2-server` with one account and the app `bench`. */
export interface ControlPlane {
  readonly url: string;
  readonly pid: number;
  readonly tokens: Tokens;
  /** @param text a policy, whose `metadata.name` is the app */
  publish(app: string, text: string): Promise<void>;
  /** Asks with a token. @throws Error for an answer that is not the status */
  ask(status: number, token: string, path: string, request?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

/** Starts it, on a database that nobody used before; `stop` removes what it left on the disk. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { core, databaseUrl, environment } = options;
  const data = mkdtempSync(join(tmpdir(), "d2-bench-"));
  const settings = {
    ...UNREACHED,
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    ...environment,
  };
  const { tokens } = JSON.parse(command(["bootstrap", "--data", data, "--app", "bench", "--json"], settings));
  // Flags for whoever wants to see where the server's time goes.
  const flags = process.env["D2_BENCH_SERVER_FLAGS"]?.split(" ");
  const program = startProgram(SERVER, ["start", "--data", data, "--port", "0"], {
    core,
    flags,
    environment: settings,
  });
  const url = await program.printed(/"url":"(http:[^"]+)"/);
  const uploader = generateKeyPairSync("ed25519");
  const keyId = keyIdOf(uploader.publicKey);
  const ask: ControlPlane["ask"] = async (status, token, path, request = {}) => {
    const headers = { Authorization: `Bearer ${token}`, ...headersOf(request) };
    const response = await fetch(`${url}${path}`, { ...request, headers });
    if (response.status !== status) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  await ask(201, tokens.developer, "/v1/keys", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ key_id: keyId, public_key: rawBytes(uploader.publicKey).toString("base64") }),
  });
  return {
    url,
    pid: program.pid,
    tokens,
    async publish(app, text) {
      const answer = await ask(201, tokens.developer, `/v1/policy/publish?app_name=${app}`, {
        method: "POST",
        headers: {
          "Content-Type": "application/octet-stream",
          "X-D2-Signature": sign(null, Buffer.from(text), uploader.privateKey).toString("base64"),
          "X-D2-Key-Id": keyId,
          "If-Match": "*",
        },
        body: text,
      });
      await answer.arrayBuffer();
    },
    ask,
    async stop() {
      await program.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function headersOf({ headers }: RequestInit): Record<string, string> {
  return Object.fromEntries(new Headers(headers));
}

function command(args: readonly string[], environment: NodeJS.ProcessEnv): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SERVER, ...args], {
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  if (status !== 0) throw new Error(`\`d2-server ${args[0]}\` ended with ${status}: ${stderr}`);
  return stdout;
}

function rawBytes(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" }).subarray(-32);
}

/** As the protocol has it: `ed_` and the BLAKE2s digest, of 6 bytes, of the raw key. */
function keyIdOf(key: KeyObject): string {
  return `ed_${Buffer.from(blake2s(rawBytes(key), { dkLen: 6 })).toString("hex")}`;
}

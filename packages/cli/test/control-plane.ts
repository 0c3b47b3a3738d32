import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../server/lib/d2-server.js", import.meta.url));

/** A control plane that runs as a process of its own, on a database of its own. */
export interface RunningControlPlane {
  readonly url: string;
  readonly tokens: { readonly runtime: string; readonly developer: string; readonly admin: string };
  close(): Promise<void>;
}

/** Starts a control plane with one account, an app of this name, and a token of each kind. */
export async function bootstrapped(app: string): Promise<RunningControlPlane> {
  const data = mkdtempSync(join(tmpdir(), "d2-plane-"));
  server("migrate", "--data", data);
  const { tokens } = JSON.parse(server("bootstrap", "--data", data, "--app", app, "--json"));
  const child = spawn(process.execPath, [PROGRAM, "start", "--data", data, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await listening(child);
  return {
    url,
    tokens,
    async close() {
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function server(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** The URL, as the server's log tells it. */
function listening(child: ChildProcess): Promise<string> {
  let printed = "";
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", (part: Buffer) => {
      printed += part.toString();
      const url = /"url":"(http:[^"]+)"/.exec(printed)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once("close", () => reject(new Error(`the control plane did not start: ${printed}`)));
  });
}

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const PROGRAM = fileURLToPath(new URL("../lib/d2.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the built command as a process of its own, without a terminal and without the environment's settings for it. */
export function d2(args: readonly string[], { cwd, input = "", env = {} }: RunOptions): Promise<Ended> {
  const { NO_COLOR: _no, FORCE_COLOR: _force, D2_POLICY_FILE: _file, ...inherited } = process.env;
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd,
    env: { ...inherited, XDG_CONFIG_HOME: `${cwd}/no-config`, ...env },
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => out.push(part));
  child.stderr.on("data", (part: Buffer) => err.push(part));
  child.stdin.on("error", () => undefined); // a command that reads no input closes it
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
  });
}

/** A folder of the repository, absolute. */
export const repo = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { type Core, onCore } from "./cores.js";

export interface ProgramOptions {
  readonly core?: Core | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** Arguments of Node itself. */
  readonly flags?: readonly string[] | undefined;
  /** Whether messages can be sent to and fro. Default: no. */
  readonly messages?: boolean;
}

/** A program of ours in a process of its own, which does not outlive this one. */
export interface Program {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Waits until what it printed has a match, and gives what is in its first group. */
  printed(pattern: RegExp): Promise<string>;
  /** Asks it to end, and waits for that. */
  stop(): Promise<void>;
}

export function startProgram(
  file: string,
  args: readonly string[] = [],
  options: ProgramOptions = {},
): Program {
  const { core, environment, flags = [], messages = false } = options;
  const stdio: StdioOptions = messages ? ["ignore", "pipe", "inherit", "ipc"] : ["ignore", "pipe", "inherit"];
  const [command, all] = onCore(core, process.execPath, [...flags, file, ...args]);
  const child = spawn(command, all, { stdio, env: { ...process.env, ...environment } });
  const { pid } = child;
  if (pid === undefined) throw new Error(`\`${command}\` cannot be started`);
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let text = "";
  const readers = new Set<() => void>();
  child.stdout?.on("data", (part: Buffer) => {
    // Only the first lines are ever looked for.
    if (text.length < 65_536) text += part.toString();
    for (const read of readers) read();
  });
  return {
    child,
    pid,
    printed(pattern) {
      return new Promise((resolve, reject) => {
        const read = () => {
          const found = pattern.exec(text)?.[1];
          if (found === undefined) return;
          readers.delete(read);
          resolve(found);
        };
        readers.add(read);
        void ended.then(() => reject(new Error(`\`${file}\` ended too soon: ${text}`)));
        read();
      });
    },
    async stop() {
      process.off("exit", end);
      child.kill("SIGTERM");
      await ended;
    },
  };
}

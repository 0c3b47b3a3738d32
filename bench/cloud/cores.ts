import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** Whether processes can be kept on one core each, the server on another than who asks it. */
const PINNED = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

export type Core = 0 | 1;

/** How programs were spread over the cores, as a row says it. */
export const conditions = PINNED ? "servers on one core, the client on another" : "cores not chosen";

/** A command line that runs on the core, where cores can be chosen. */
export function onCore(core: Core | undefined, command: string, args: readonly string[]): [string, string[]] {
  if (core === undefined || !PINNED) return [command, [...args]];
  return ["taskset", ["--cpu-list", String(core), command, ...args]];
}

/** Keeps this process on the core, where cores can be chosen. What it starts from now on stays there too. */
export function stayOn(core: Core): void {
  if (PINNED) spawnSync("taskset", ["--all-tasks", "--pid", "--cpu-list", String(core), String(process.pid)]);
}

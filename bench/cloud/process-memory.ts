import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** Bytes of a process that are in memory now. */
export function residentBytes(pid: number): number {
  const status = `/proc/${pid}/status`;
  const kilobytes = existsSync(status)
    ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, "utf8"))?.[1]
    : spawnSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim();
  return Number(kilobytes) * 1024;
}

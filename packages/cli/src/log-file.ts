import { createReadStream, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LogSource, PolicyGiven } from "d2-policy/log";
import { type LogFiles, logFilesOf } from "d2-sdk/files";
import type { Terminal } from "./terminal.js";

/** A decision log to read. */
export interface OpenLog {
  /** As messages name it. */
  readonly file: string;
  /** Absent for standard input. */
  readonly files: LogFiles | undefined;
  /** Its parts, oldest first. */
  readonly source: () => LogSource;
}

/** Opens the log that is meant; `-` is standard input. */
export function openLog(terminal: Terminal, named: string): OpenLog {
  if (named === "-") return { file: "<standard input>", files: undefined, source: () => process.stdin };
  const path = terminal.path(named);
  const file = terminal.shown(path);
  const files = logFilesOf(path, file);
  return { file, files, source: () => partsOf(files.segments) };
}

async function* partsOf(segments: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const segment of segments) {
    for await (const part of createReadStream(segment, { highWaterMark: 1 << 20 })) yield part;
  }
}

/** The text of a policy that was kept beside the log. */
export function keptPolicy(files: LogFiles, digest: string): PolicyGiven | undefined {
  // The digest comes from the log, which anybody may have written: only digests name files.
  if (!/^[0-9a-f]{64}$/.test(digest)) return undefined;
  for (const format of ["yaml", "json"] as const) {
    const path = join(files.policies, `${digest}.${format}`);
    if (existsSync(path)) return { text: readFileSync(path, "utf8"), format };
  }
  return undefined;
}

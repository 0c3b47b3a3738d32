import { basename, join } from "node:path";
import type { ChainPosition, HexDigest } from "d2-core";
import { ConfigurationError } from "d2-core/call";
import type { Logger } from "../setup/logger.js";
import { nodeFiles } from "../setup/node-files.js";
import { shownPath } from "../source/shown-path.js";
import { endOfLines, firstLine, lastLine, linesBackwards, readPart } from "./lines-backwards.js";
import { isAsWritten, isJson, type LogLine, readLogLine } from "./log-line.js";
import { ENDING, segmentNames } from "./stream-files.js";

// Sixty-four zeros have the shape of a digest, and stand for what comes before the first line.
const START = "0".repeat(64) as HexDigest;

/** What is there of a stream. */
export interface RecoveredStream {
  readonly position: ChainPosition;
  /** Index of the first line that the current file has or will have. */
  readonly first: number;
  /** When the current file was last written, in milliseconds since 1970; undefined: it has no lines. */
  readonly writtenAt: number | undefined;
}

/** Where the chain stands at the end of a file. */
interface EndOfFile {
  /** Index of its first line. */
  readonly first: number;
  readonly last: LogLine;
  /** Number of the last call that it tells of; undefined: of none. */
  readonly calls: number | undefined;
}

/**
 * Finds out where a stream goes on, reading backwards as far as is needed, and sets aside a last line that was not
 * finished. Nothing is changed when what is there is no log.
 *
 * @throws ConfigurationError when what should be a line of a log is none, or is not as it was written
 */
export function recoverStream(folder: string, stream: string, logger: Logger | undefined): RecoveredStream {
  const fs = nodeFiles();
  const path = join(folder, `${stream}${ENDING}`);
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  // A pipe would be waited for; a device takes lines, or says why not.
  if (stat !== undefined && !stat.isFile() && !stat.isCharacterDevice()) {
    throw new ConfigurationError(`the decision log ${shown(path)} is no file: give another path`);
  }
  const { size, torn } = stat === undefined ? { size: 0, torn: new Uint8Array(0) } : tornTail(path);
  const current = stat === undefined ? undefined : readEnd(path, size);
  const before = segmentNames(folder, stream).map((name) => join(folder, name));
  let end = current;
  let calls = current?.calls;
  for (const segment of before) {
    if (end !== undefined && calls !== undefined) break;
    const next = readEnd(segment, undefined);
    end ??= next;
    calls ??= next?.calls;
  }
  if (torn.length > 0) setAside(folder, stream, { path, size, torn }, logger);
  const position: ChainPosition =
    end === undefined
      ? { index: 0, v: START, calls: 0 }
      : { index: end.last.index + 1, v: end.last.v, calls: calls ?? 0 };
  return {
    position,
    first: current?.first ?? position.index,
    writtenAt: current === undefined ? undefined : stat?.mtimeMs,
  };
}

/**
 * What the end of a file has of a line that was not finished: text without a line feed, or else a last line that is not
 * JSON, for of a write that a loss of power has cut any part may be missing.
 */
function tornTail(path: string): { readonly size: number; readonly torn: Uint8Array } {
  const fs = nodeFiles();
  const file = fs.openSync(path, "r");
  try {
    const all = fs.fstatSync(file).size;
    let size = endOfLines(file, all);
    if (size === all && size > 0) {
      const last = lastLine(file, size);
      if (!isJson(last.text)) size = last.from;
    }
    return { size, torn: readPart(file, size, all - size) };
  } finally {
    fs.closeSync(file);
  }
}

function setAside(
  folder: string,
  stream: string,
  { path, size, torn }: { readonly path: string; readonly size: number; readonly torn: Uint8Array },
  logger: Logger | undefined,
): void {
  const fs = nodeFiles();
  const aside = join(folder, `${stream}.torn`);
  const ended = torn.at(-1) === 0x0a ? torn : Buffer.concat([torn, Buffer.from("\n")]);
  fs.appendFileSync(aside, ended, { mode: 0o600, flush: true });
  fs.truncateSync(path, size);
  logger?.warn(
    `the decision log \`${stream}\` ended in a line that was not finished: it is now in \`${basename(aside)}\``,
  );
}

/**
 * Reads the first line of a file, its last, and backwards as far as the number of the last call.
 *
 * @param upTo bytes to read; undefined: all whole lines
 * @returns undefined for a file without a line
 */
function readEnd(path: string, upTo: number | undefined): EndOfFile | undefined {
  const fs = nodeFiles();
  const file = fs.openSync(path, "r");
  try {
    const size = upTo ?? endOfLines(file, fs.fstatSync(file).size);
    if (size === 0) return undefined;
    let last: { readonly text: string; readonly line: LogLine } | undefined;
    let calls: number | undefined;
    let count = 0;
    for (const text of linesBackwards(file, size)) {
      const line = readLine(text, path);
      count += 1;
      calls ??= line.calls;
      if (last === undefined) last = { text, line };
      else if (count === 2) checkEnd(last, line.v, path);
      if (calls !== undefined && count >= 2) break;
    }
    if (last === undefined) return undefined;
    // Of a line that begins a file, the one before stands in another.
    if (count === 1) checkEnd(last, last.line.index === 0 ? START : undefined, path);
    return { first: readLine(firstLine(file, size), path).index, last: last.line, calls };
  } finally {
    fs.closeSync(file);
  }
}

function readLine(text: string, path: string): LogLine {
  const line = readLogLine(text);
  if (line !== undefined) return line;
  throw new ConfigurationError(
    `${shown(path)} is no decision log that can be gone on with: a whole line of it is none of a log; move the file away, and verify what it holds`,
  );
}

function checkEnd(
  { text, line }: { readonly text: string; readonly line: LogLine },
  prev: string | undefined,
  path: string,
): void {
  if (isAsWritten(text, line, prev)) return;
  throw new ConfigurationError(
    `${shown(path)} is no decision log that can be gone on with: its last line is not as it was written; move the file away, and verify what it holds`,
  );
}

function shown(path: string): string {
  return shownPath(path, process.cwd());
}

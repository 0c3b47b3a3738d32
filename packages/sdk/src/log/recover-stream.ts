import type { ChainPosition } from "d2-core";
import { ConfigurationError } from "d2-core/call";
import { nodeFiles } from "../setup/node-files.js";

/** Bytes read at a time, from the end. */
const STEP = 64 * 1024;

/** Where the chain stands at the end of a file. */
export interface EndOfFile {
  /** Indexes of its first and last line. */
  readonly first: number;
  readonly last: number;
  readonly v: ChainPosition["v"];
  /** Number of the last call that it tells of; undefined: of none. */
  readonly calls: number | undefined;
}

interface ReadLine {
  readonly index: number;
  readonly v: ChainPosition["v"];
  /** Number of the last call that the line tells of; undefined: of none. */
  readonly calls: number | undefined;
}

/**
 * Reads the first line of a file, the last whole one, and backwards as far as the number of the last call.
 *
 * @param shown the file as messages name it
 * @returns undefined for a file without a whole line
 * @throws ConfigurationError when what should be a line of a log is none
 */
export function readEnd(path: string, shown: string): EndOfFile | undefined {
  const fs = nodeFiles();
  const file = fs.openSync(path, "r");
  try {
    const size = endOfLines(file, fs.fstatSync(file).size);
    let last: ReadLine | undefined;
    let calls: number | undefined;
    for (const text of size === 0 ? [] : linesBackwards(file, size)) {
      const line = readLine(text, shown);
      last ??= line;
      calls = line.calls;
      if (calls !== undefined) break;
    }
    if (last === undefined) return undefined;
    return { first: readLine(firstLine(file, size), shown).index, last: last.index, v: last.v, calls };
  } finally {
    fs.closeSync(file);
  }
}

/** What stands after the last line feed of a file. */
export function tornTail(path: string): { readonly size: number; readonly torn: Uint8Array } {
  const fs = nodeFiles();
  const file = fs.openSync(path, "r");
  try {
    const { size } = fs.fstatSync(file);
    const whole = endOfLines(file, size);
    return { size: whole, torn: readPart(file, whole, size - whole) };
  } finally {
    fs.closeSync(file);
  }
}

function readPart(file: number, from: number, length: number): Uint8Array {
  const part = new Uint8Array(length);
  let read = 0;
  while (read < length) {
    const more = nodeFiles().readSync(file, part, read, length - read, from + read);
    if (more === 0) break;
    read += more;
  }
  return part.subarray(0, read);
}

/** Length of a file up to and with its last line feed. */
function endOfLines(file: number, size: number): number {
  for (let to = size; to > 0; ) {
    const from = Math.max(0, to - STEP);
    const at = readPart(file, from, to - from).lastIndexOf(0x0a);
    if (at >= 0) return from + at + 1;
    to = from;
  }
  return 0;
}

/** Lines from the end backwards, in text. */
function* linesBackwards(file: number, size: number): Generator<string> {
  let rest: Uint8Array = new Uint8Array(0);
  const decode = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
  for (let to = size - 1; to >= 0; ) {
    const from = Math.max(0, to - STEP);
    const joined = Buffer.concat([readPart(file, from, to - from), rest]);
    let end = joined.length;
    for (
      let at = joined.lastIndexOf(0x0a);
      at >= 0;
      at = end === 0 ? -1 : joined.lastIndexOf(0x0a, end - 1)
    ) {
      yield decode(joined.subarray(at + 1, end));
      end = at;
    }
    rest = joined.subarray(0, end);
    if (from === 0) break;
    to = from;
  }
  yield decode(rest);
}

function firstLine(file: number, size: number): string {
  let text = "";
  for (let from = 0; from < size; from += STEP) {
    text += Buffer.from(readPart(file, from, Math.min(STEP, size - from))).toString("latin1");
    const at = text.indexOf("\n");
    if (at >= 0) return text.slice(0, at);
  }
  return text;
}

function readLine(text: string, shown: string): ReadLine {
  const line = parsed(text);
  const event = field(line, "event");
  const index = field(line, "index");
  const v = field(line, "v");
  const id = field(event, "correlation_id");
  if (
    typeof index === "number" &&
    typeof v === "string" &&
    /^[0-9a-f]{64}$/.test(v) &&
    typeof id === "string"
  ) {
    // Sixty-four lower-case hex digits are what the type stands for.
    return { index, v: v as ChainPosition["v"], calls: callsOf(id, field(event, "data")) };
  }
  throw new ConfigurationError(
    `${shown} is no decision log that can be gone on with: a whole line of it is none of a log; move the file away, and verify what it holds`,
  );
}

/** The number of the last call that an event tells of. Ends of calls and sessions tell of none, for those come in any order. */
function callsOf(id: string, data: unknown): number | undefined {
  const lost = field(data, "lost_calls");
  const number = Number(/:([1-9][0-9]*)$/.exec(id)?.[1]);
  if (!Number.isSafeInteger(number)) return undefined;
  if (typeof lost === "number") return number + lost - 1;
  return field(data, "inputs") === undefined ? undefined : number;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // told by the caller, who knows where it stands
  }
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}

import { nodeFiles } from "../setup/node-files.js";

/** Bytes read at first, for a line or two; where that is not enough, twice as many each time, up to the most. */
const STEP = 4 * 1024;
const MOST = 1024 * 1024;

/** Part of an open file; shorter where the file is. */
export function readPart(file: number, from: number, length: number): Uint8Array {
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
export function endOfLines(file: number, size: number): number {
  for (let to = size, step = STEP; to > 0; step = Math.min(2 * step, MOST)) {
    const from = Math.max(0, to - step);
    const at = readPart(file, from, to - from).lastIndexOf(0x0a);
    if (at >= 0) return from + at + 1;
    to = from;
  }
  return 0;
}

/** The last line of a file that ends in a line feed, and where it begins. */
export function lastLine(file: number, size: number): { readonly from: number; readonly text: string } {
  const from = endOfLines(file, size - 1);
  return { from, text: decode(readPart(file, from, size - 1 - from)) };
}

/** Lines of a file that ends in a line feed, from the end backwards, without their line feeds. */
export function* linesBackwards(file: number, size: number): Generator<string> {
  for (let to = size; to > 0; ) {
    const { from, text } = lastLine(file, to);
    yield text;
    to = from;
  }
}

/** The first line of a file, without its line feed. */
export function firstLine(file: number, size: number): string {
  const parts: Uint8Array[] = [];
  for (let from = 0, step = STEP; from < size; from += step, step = Math.min(2 * step, MOST)) {
    const part = readPart(file, from, Math.min(step, size - from));
    const at = part.indexOf(0x0a);
    parts.push(at >= 0 ? part.subarray(0, at) : part);
    if (at >= 0) break;
  }
  return decode(Buffer.concat(parts));
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

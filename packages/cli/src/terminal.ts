import { writeSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import type { Marks } from "d2-policy";
import { marksFor, wantsColours } from "./colours.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a command stands and whom it talks to: the process, seen as little as a command needs to see. */
export class Terminal {
  /** The current folder, absolute. */
  readonly folder: string;
  readonly environment: Environment;
  /** For standard output. */
  readonly coloured: boolean;
  readonly marks: Marks;
  /** For standard error. */
  readonly errorMarks: Marks;
  /** Columns that lines may have. */
  readonly width: number;
  /** Whether somebody watches standard error. */
  readonly watched: boolean;

  constructor(folder: string, environment: Environment) {
    this.folder = folder;
    this.environment = environment;
    this.coloured = wantsColours(environment, process.stdout.isTTY === true);
    this.marks = marksFor(this.coloured);
    this.watched = process.stderr.isTTY === true;
    this.errorMarks = marksFor(wantsColours(environment, this.watched));
    this.width = process.stdout.isTTY === true ? process.stdout.columns : 100;
  }

  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number {
    return Date.now();
  }

  print(text: string): void {
    write(1, text);
  }

  printError(text: string): void {
    write(2, text);
  }

  /** Prints a value as the document of a command: `{"format": "d2.<command>", "version": 1, ...}`. */
  printJson<Data extends object>(
    format: string,
    data: Data & { readonly format?: never; readonly version?: never },
  ): void {
    this.print(`${JSON.stringify({ format: `d2.${format}`, version: 1, ...data }, undefined, 2)}\n`);
  }

  /** A path that the user gave, absolute. */
  path(given: string): string {
    return resolve(this.folder, given);
  }

  /** A path for people: relative to the current folder where that is shorter to read. */
  shown(path: string): string {
    const inside = relative(this.folder, path);
    if (inside === "") return ".";
    const far = inside.startsWith(`..${sep}..${sep}..`) || isAbsolute(inside);
    return far ? path : inside;
  }

  /** All of standard input. */
  async input(): Promise<string> {
    const parts: Uint8Array[] = [];
    for await (const part of process.stdin) parts.push(part);
    return new TextDecoder().decode(Buffer.concat(parts));
  }
}

/**
 * Writes at once, so that nothing is lost when the process ends. A full pipe makes a descriptor that does not block say
 * `EAGAIN`: the rest is then tried again until the reader has made room.
 */
function write(descriptor: 1 | 2, text: string): void {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error)) throw error;
      if (error.code === "EAGAIN") waitForRoom();
      else if (error.code === "EPIPE") throw new ReaderGone();
      else throw error;
    }
  }
}

/** Whoever read the output has stopped reading: no fault of anybody's. */
export class ReaderGone extends Error {}

function waitForRoom(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
}

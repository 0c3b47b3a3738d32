import { basename, dirname, join, resolve } from "node:path";
import type { ChainPosition, HexDigest } from "d2-core";
import { ConfigurationError } from "d2-core/call";
import type { Logger } from "../setup/logger.js";
import { nodeCrypto } from "../setup/node-crypto.js";
import { nodeFiles } from "../setup/node-files.js";
import { shownPath } from "../source/shown-path.js";
import { type EndOfFile, readEnd, tornTail } from "./recover-stream.js";
import { SignedHeads, type Signing } from "./signed-heads.js";
import type { DecisionSink } from "./sink.js";
import { hasCode, StreamLock } from "./stream-lock.js";

export interface FileSinkOptions {
  /** A folder, or a file ending in `.jsonl`. */
  readonly path: string;
  /** Name of the stream in a folder. Default: one that no other process has. */
  readonly stream?: string | undefined;
  readonly rotate?: { readonly bytes?: number | undefined; readonly daily?: boolean | undefined } | undefined;
  readonly sign?: Signing | undefined;
  /** Milliseconds since 1970-01-01T00:00:00Z. Only days and heads go by it, never the order. Default: the system's. */
  readonly clock?: (() => number) | undefined;
  readonly logger?: Logger | undefined;
}

const DEFAULT_BYTES = 256 * 1024 * 1024;
const ENDING = ".jsonl";
// Sixty-four zeros have the shape of a digest, and stand for what comes before the first line.
const START = "0".repeat(64) as HexDigest;

/**
 * Opens a stream of lines in files, and goes on with what is there. See docs/decisions.md for the files.
 *
 * @throws ConfigurationError when it cannot be written there, or what is there is no log
 */
export function openFileSink(options: FileSinkOptions): DecisionSink {
  const path = resolve(options.path);
  const isFile = path.endsWith(ENDING);
  const folder = isFile ? dirname(path) : path;
  const shown = shownPath(path, process.cwd());
  const wanted = isFile ? basename(path, ENDING) : options.stream;
  if (wanted !== undefined && !/^[\w.~-]{1,128}$/.test(wanted)) {
    throw new ConfigurationError(
      `${shown} cannot be a decision log: its name must be of letters, digits, \`.\`, \`_\`, \`~\` and \`-\``,
    );
  }
  try {
    nodeFiles().mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { stream, lock } = takeStream(folder, wanted, options.logger);
    try {
      return new FileSink(folder, stream, lock, options);
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw new ConfigurationError(
      `the decision log ${shown} cannot be opened (${codeOf(error)}): give a place where files can be written`,
      [],
      { cause: error },
    );
  }
}

/** A stream that nobody else writes: the wanted one, or where that is taken, one of its own beside it. */
function takeStream(
  folder: string,
  wanted: string | undefined,
  logger: Logger | undefined,
): { readonly stream: string; readonly lock: StreamLock } {
  const first = wanted ?? ownName("d2");
  const lock = StreamLock.take(join(folder, `${first}.lock`));
  if (lock !== undefined) return { stream: first, lock };
  const other = ownName(first);
  const second = StreamLock.take(join(folder, `${other}.lock`));
  if (second === undefined) throw new ConfigurationError("the decision log is written by another process");
  logger?.warn(
    `the decision log \`${first}\` is written by another process: this one writes \`${other}\` beside it`,
  );
  return { stream: other, lock: second };
}

function ownName(before: string): string {
  return `${before.slice(0, 96)}~${process.pid}-${nodeCrypto().randomBytes(4).toString("hex")}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}

/** Lines in a file that is followed by the next when it is full, and each day. Everything is done while the caller waits. */
class FileSink implements DecisionSink {
  readonly stream: string;
  readonly #folder: string;
  readonly #path: string;
  readonly #lock: StreamLock;
  readonly #clock: () => number;
  readonly #maxBytes: number;
  readonly #daily: boolean;
  readonly #heads: SignedHeads | undefined;
  #position: ChainPosition;
  #file: number;
  #size: number;
  /** Index of the file's first line. */
  #first: number;
  #day: number;
  /** Whether something of lines that failed may stand at the file's end. */
  #dirty = false;
  #closed = false;

  constructor(folder: string, stream: string, lock: StreamLock, options: FileSinkOptions) {
    this.stream = stream;
    this.#folder = folder;
    this.#path = join(folder, `${stream}${ENDING}`);
    this.#lock = lock;
    this.#clock = options.clock ?? (() => Date.now());
    this.#maxBytes = options.rotate?.bytes ?? DEFAULT_BYTES;
    this.#daily = options.rotate?.daily ?? true;
    this.#setTornAside();
    const end = this.#ends().next().value;
    const calls = this.#lastCall();
    this.#position =
      end === undefined ? { index: 0, v: START, calls } : { index: end.last + 1, v: end.v, calls };
    const fs = nodeFiles();
    this.#file = fs.openSync(this.#path, "a", 0o600);
    const { size, mtimeMs } = fs.fstatSync(this.#file);
    this.#size = size;
    this.#first = size === 0 ? this.#position.index : (end?.first ?? 0);
    this.#day = dayOf(size === 0 ? this.#clock() : mtimeMs);
    const heads = join(folder, `${stream}.heads${ENDING}`);
    this.#heads =
      options.sign === undefined
        ? undefined
        : new SignedHeads(heads, stream, options.sign, this.#position, this.#clock);
  }

  get position(): ChainPosition {
    return this.#position;
  }

  append(lines: string, head: ChainPosition): void {
    if (this.#closed) throw new Error("the decision log is closed");
    this.#rotate();
    const fs = nodeFiles();
    if (this.#dirty) this.#cutBack();
    // INVARIANT: nobody else writes this file; what somebody does append would break the chain unseen.
    if (fs.fstatSync(this.#file).size !== this.#size) {
      throw new Error("its file is not as this process has left it: give each process a stream of its own");
    }
    const bytes = Buffer.from(lines, "latin1");
    try {
      for (let written = 0; written < bytes.length; ) written += fs.writeSync(this.#file, bytes, written);
    } catch (error) {
      this.#dirty = true;
      try {
        this.#cutBack();
      } catch {
        // Tried again before the next line.
      }
      throw new Error(`it could not be written (${codeOf(error)})`, { cause: error });
    }
    this.#size += bytes.length;
    this.#position = head;
    this.#heads?.appended(head);
  }

  sync(): void {
    if (!this.#closed) nodeFiles().fdatasyncSync(this.#file);
  }

  keepPolicy(digest: string, text: string, format: "yaml" | "json"): void {
    const fs = nodeFiles();
    const folder = join(this.#folder, "policies");
    const path = join(folder, `${digest}.${format}`);
    if (fs.existsSync(path)) return;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const unfinished = `${path}.${process.pid}`;
    fs.writeFileSync(unfinished, text, { mode: 0o600, flush: true });
    fs.renameSync(unfinished, path);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      nodeFiles().fdatasyncSync(this.#file);
      this.#heads?.sign(this.#position);
    } finally {
      nodeFiles().closeSync(this.#file);
      this.#lock.release();
    }
  }

  /** Cuts off what a failed write has left, so that lines are there all or not at all. */
  #cutBack(): void {
    nodeFiles().ftruncateSync(this.#file, this.#size);
    this.#dirty = false;
  }

  #rotate(): void {
    if (this.#size === 0) return;
    const day = dayOf(this.#clock());
    // A clock that goes backwards begins no new file.
    if (this.#size < this.#maxBytes && !(this.#daily && day > this.#day)) return;
    const fs = nodeFiles();
    fs.fdatasyncSync(this.#file);
    const segment = join(this.#folder, segmentName(this.stream, this.#first));
    fs.renameSync(this.#path, segment);
    let next: number;
    try {
      next = fs.openSync(this.#path, "ax", 0o600);
    } catch (error) {
      fs.renameSync(segment, this.#path);
      throw new Error(`the next file could not be begun (${codeOf(error)})`, { cause: error });
    }
    fs.closeSync(this.#file);
    this.#file = next;
    this.#size = 0;
    this.#first = this.#position.index;
    this.#day = day;
  }

  /** Moves an unfinished last line of the current file out of it. */
  #setTornAside(): void {
    const fs = nodeFiles();
    try {
      const { size, torn } = tornTail(this.#path);
      if (torn.length === 0) return;
      fs.appendFileSync(join(this.#folder, `${this.stream}.torn`), Buffer.concat([torn, Buffer.from("\n")]), {
        mode: 0o600,
        flush: true,
      });
      fs.truncateSync(this.#path, size);
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
    }
  }

  /** The ends of the stream's files that have lines, newest first. */
  *#ends(): Generator<EndOfFile> {
    const fs = nodeFiles();
    const before = fs.readdirSync(this.#folder).filter((name) => isSegment(this.stream, name));
    for (const name of [basename(this.#path), ...before.sort().reverse()]) {
      const path = join(this.#folder, name);
      if (!fs.existsSync(path)) continue;
      const end = readEnd(path, shownPath(path, process.cwd()));
      if (end !== undefined) yield end;
    }
  }

  #lastCall(): number {
    for (const { calls } of this.#ends()) if (calls !== undefined) return calls;
    return 0;
  }
}

function segmentName(stream: string, first: number): string {
  return `${stream}.${String(first).padStart(12, "0")}${ENDING}`;
}

function isSegment(stream: string, name: string): boolean {
  return name.startsWith(`${stream}.`) && /^\d{12,}\.jsonl$/.test(name.slice(stream.length + 1));
}

/** Number of a day (UTC) since 1970-01-01. */
function dayOf(ms: number): number {
  return Math.floor(ms / (24 * 60 * 60 * 1000));
}

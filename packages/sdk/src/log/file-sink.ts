import { basename, dirname, join, resolve } from "node:path";
import type { ChainPosition } from "d2-core";
import { ConfigurationError } from "d2-core/call";
import type { Logger } from "../setup/logger.js";
import { nodeFiles } from "../setup/node-files.js";
import { shownPath } from "../source/shown-path.js";
import { recoverStream } from "./recover-stream.js";
import { SignedHeads, type Signing } from "./signed-heads.js";
import type { DecisionSink } from "./sink.js";
import { codeOf, ENDING, segmentName, syncFolder } from "./stream-files.js";
import type { StreamLock } from "./stream-lock.js";
import { checkStreamName, takeStream } from "./stream-name.js";

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
  if (wanted !== undefined) checkStreamName(wanted, shown);
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

/** Lines in a file that is followed by the next when it is full, and each day. Everything is done while the caller waits. */
class FileSink implements DecisionSink {
  readonly stream: string;
  readonly #folder: string;
  readonly #path: string;
  readonly #lock: StreamLock;
  readonly #clock: () => number;
  readonly #logger: Logger | undefined;
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
  /** Whether the last head that was due could not be written. */
  #headMissing = false;
  #closed = false;

  constructor(folder: string, stream: string, lock: StreamLock, options: FileSinkOptions) {
    this.stream = stream;
    this.#folder = folder;
    this.#path = join(folder, `${stream}${ENDING}`);
    this.#lock = lock;
    this.#clock = options.clock ?? (() => Date.now());
    this.#logger = options.logger;
    this.#maxBytes = options.rotate?.bytes ?? DEFAULT_BYTES;
    this.#daily = options.rotate?.daily ?? true;
    const heads = join(folder, `${stream}.heads${ENDING}`);
    this.#heads =
      options.sign === undefined ? undefined : new SignedHeads(heads, stream, options.sign, this.#clock);
    const { position, first, writtenAt } = recoverStream(folder, stream, options.logger);
    this.#position = position;
    this.#first = first;
    this.#day = dayOf(writtenAt ?? this.#clock());
    const fs = nodeFiles();
    this.#file = fs.openSync(this.#path, "a", 0o600);
    this.#size = fs.fstatSync(this.#file).size;
    if (this.#size === 0) syncFolder(folder);
  }

  get position(): ChainPosition {
    return this.#position;
  }

  append(lines: string, head: ChainPosition): void {
    if (this.#closed) throw new Error("the decision log is closed");
    const fs = nodeFiles();
    if (this.#dirty) this.#cutBack();
    // INVARIANT: nobody else writes this file; what somebody does append would break the chain unseen.
    if (fs.fstatSync(this.#file).size !== this.#size) {
      throw new Error(
        `${this.#shown} is not as this process has left it: give each process a stream of its own`,
      );
    }
    this.#rotate();
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
      throw this.#fault("could not be written", error);
    }
    this.#size += bytes.length;
    this.#position = head;
    this.#signIfDue();
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
    syncFolder(folder);
    syncFolder(this.#folder);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (this.#dirty) this.#cutBack();
      nodeFiles().fdatasyncSync(this.#file);
      this.#heads?.sign(this.#position);
    } finally {
      nodeFiles().closeSync(this.#file);
      this.#lock.release();
    }
  }

  get #shown(): string {
    return shownPath(this.#path, process.cwd());
  }

  #fault(what: string, cause: unknown): Error {
    return new Error(`${this.#shown} ${what} (${codeOf(cause)}): ${remedyFor(codeOf(cause))}`, { cause });
  }

  /** Cuts off what a failed write has left, so that lines are there all or not at all. */
  #cutBack(): void {
    try {
      nodeFiles().ftruncateSync(this.#file, this.#size);
    } catch (error) {
      throw this.#fault("holds part of a line that cannot be cut off again", error);
    }
    this.#dirty = false;
  }

  /** Never throws: the lines are written, and are not to come again because of a head. */
  #signIfDue(): void {
    if (this.#heads === undefined) return;
    try {
      if (!this.#heads.isDue(this.#position)) return;
      nodeFiles().fdatasyncSync(this.#file);
      this.#heads.sign(this.#position);
      this.#headMissing = false;
    } catch (error) {
      if (!this.#headMissing) {
        this.#logger?.warn(
          `the decision log \`${this.stream}\` could not be signed (${codeOf(error)}): it is written without, and will be signed later`,
        );
      }
      this.#headMissing = true;
    }
  }

  #rotate(): void {
    if (this.#size === 0) return;
    const day = dayOf(this.#clock());
    // A clock that goes backwards begins no new file.
    if (this.#size < this.#maxBytes && !(this.#daily && day > this.#day)) return;
    const fs = nodeFiles();
    const segment = join(this.#folder, segmentName(this.stream, this.#first));
    if (fs.existsSync(segment)) {
      throw new Error(
        `${this.#shown} is full and \`${basename(segment)}\` is there already: move that one away`,
      );
    }
    let next: number;
    try {
      fs.fdatasyncSync(this.#file);
      fs.renameSync(this.#path, segment);
      try {
        next = fs.openSync(this.#path, "ax", 0o600);
      } catch (error) {
        fs.renameSync(segment, this.#path);
        throw error;
      }
    } catch (error) {
      throw this.#fault("could not be followed by the next file", error);
    }
    syncFolder(this.#folder);
    fs.closeSync(this.#file);
    this.#file = next;
    this.#size = 0;
    this.#first = this.#position.index;
    this.#day = day;
  }
}

function remedyFor(code: string): string {
  if (code === "ENOSPC" || code === "EDQUOT") return "make room on the disk";
  if (code === "EFBIG") return "raise the limit on the size of files, or lower `rotate.bytes`";
  return "look after the disk and the rights to the folder";
}

/** Number of a day (UTC) since 1970-01-01. */
function dayOf(ms: number): number {
  return Math.floor(ms / (24 * 60 * 60 * 1000));
}

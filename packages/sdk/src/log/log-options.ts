import type { RecordLevel } from "d2-core";
import { ConfigurationError } from "d2-core/call";
import type { WhenFull } from "./log-settings.js";
import type { DecisionSink } from "./sink.js";

/** How decisions are recorded. */
export interface DecisionLogOptions {
  /**
   * Where: a folder, in which every process writes a stream of its own, or a file ending in `.jsonl`, which is one stream
   * that the next start goes on with.
   */
  readonly path?: string | undefined;
  /** In place of a path: what takes the lines. */
  readonly sink?: DecisionSink | undefined;
  /**
   * What of values is written down: `digests` (default) none, `arguments` the arguments, `full` outputs and texts of errors
   * too. Of everything else only the digest is.
   */
  readonly level?: RecordLevel | undefined;
  /** Places that are written as their digest at every level: `arguments.card.number`, `output.*.email`. */
  readonly mask?: readonly string[] | undefined;
  /**
   * Whether a call waits until its record is on the disk, before it runs and again before it returns. Default false: records
   * are written in batches, after the calls; a crash of the process loses the last batch.
   */
  readonly sync?: boolean | undefined;
  /** Most records that may wait to be written. Default 20,000. */
  readonly queueLimit?: number | undefined;
  /**
   * What happens to a call that cannot be recorded. `deny`: it is refused; `drop`: it goes on, and the log says how many are
   * missing; `block`: it waits until there is room. Default `deny` with `sync`, else `drop`.
   */
  readonly whenFull?: WhenFull | undefined;
  /** Name of the stream in a folder. Default: one that no other process has. */
  readonly stream?: string | undefined;
  /** When a file is followed by the next. Default: at 256 MiB, and with each day (UTC). */
  readonly rotate?: { readonly bytes?: number | undefined; readonly daily?: boolean | undefined } | undefined;
  /** Signs the end of the log now and then, so that a cut-off tail shows. */
  readonly sign?:
    | {
        /** Ed25519 private key in PEM (PKCS 8). */
        readonly key: string;
        /** Default 1,000. */
        readonly everyLines?: number | undefined;
        /** Default 10. */
        readonly everySeconds?: number | undefined;
      }
    | undefined;
}

/** Options, checked, with their defaults. */
export interface DecisionLogPlan {
  readonly path: string | undefined;
  readonly sink: DecisionSink | undefined;
  readonly level: RecordLevel;
  readonly mask: readonly string[];
  readonly sync: boolean;
  readonly limit: number;
  readonly whenFull: WhenFull;
  readonly stream: string | undefined;
  readonly rotate: NonNullable<DecisionLogOptions["rotate"]>;
  readonly sign: DecisionLogOptions["sign"];
}

const KNOWN: ReadonlySet<string> = new Set([
  "path",
  "sink",
  "level",
  "mask",
  "sync",
  "queueLimit",
  "whenFull",
  "stream",
  "rotate",
  "sign",
]);

/**
 * Checks what was said of the decision log.
 *
 * @param option a path, or options
 * @throws ConfigurationError for what cannot be used
 */
export function readLogOptions(option: unknown): DecisionLogPlan {
  const given: DecisionLogOptions =
    typeof option === "string"
      ? { path: option }
      : typeof option === "object" && option !== null
        ? Object.assign(Object.create(null), option)
        : fail("`decisionLog` must be a path, or an object with `path` or `sink`");
  for (const name of Object.keys(given)) {
    if (!KNOWN.has(name)) {
      fail(
        `unknown option \`${name}\` in \`decisionLog\`: known are ${[...KNOWN].map((it) => `\`${it}\``).join(", ")}`,
      );
    }
  }
  const {
    path,
    sink,
    level = "digests",
    mask = [],
    sync = false,
    queueLimit = 20_000,
    stream,
    rotate = {},
    sign,
  } = given;
  const { whenFull = sync === true ? "deny" : "drop" } = given;
  if ((path === undefined) === (sink === undefined)) fail("`decisionLog` needs either `path` or `sink`");
  if (path !== undefined && (typeof path !== "string" || path === ""))
    fail("`decisionLog.path` must be a path");
  if (sink !== undefined) checkSink(sink);
  if (!["digests", "arguments", "full"].includes(level)) {
    fail("`decisionLog.level` must be `digests`, `arguments` or `full`");
  }
  if (!Array.isArray(mask)) fail("`decisionLog.mask` must be a list of paths");
  if (typeof sync !== "boolean") fail("`decisionLog.sync` must be true or false");
  checkCount("queueLimit", queueLimit);
  if (!["block", "drop", "deny"].includes(whenFull)) {
    fail("`decisionLog.whenFull` must be `block`, `drop` or `deny`");
  }
  if (stream !== undefined) checkStream(stream);
  if (sink !== undefined && (stream !== undefined || sign !== undefined || given.rotate !== undefined)) {
    fail("`stream`, `rotate` and `sign` in `decisionLog` are for files: a sink of your own does that itself");
  }
  checkRotation(rotate);
  checkSigning(sign);
  return { path, sink, level, mask: [...mask], sync, limit: queueLimit, whenFull, stream, rotate, sign };
}

function checkSink(sink: DecisionSink): void {
  const parts: Partial<Record<keyof DecisionSink, unknown>> = sink;
  const methods = ["append", "sync", "close"] as const;
  if (
    typeof sink !== "object" ||
    sink === null ||
    !methods.every((name) => typeof parts[name] === "function")
  ) {
    fail("`decisionLog.sink` must have the methods `append`, `sync` and `close`");
  }
  checkStream(sink.stream);
  const { position } = sink;
  if (typeof position !== "object" || position === null || !/^[0-9a-f]{64}$/.test(position.v)) {
    fail("`decisionLog.sink` must have a `position`: `{ index, v, calls }` of the chain so far");
  }
}

function checkStream(stream: unknown): void {
  if (typeof stream !== "string" || !/^[\w.~-]{1,128}$/.test(stream) || stream.startsWith(".")) {
    fail("the name of a decision log's stream must be of letters, digits, `.`, `_`, `~` and `-`");
  }
}

function checkRotation(rotate: unknown): void {
  if (typeof rotate !== "object" || rotate === null) fail("`decisionLog.rotate` must be an object");
  const { bytes, daily, ...rest }: { bytes?: unknown; daily?: unknown } = Object(rotate);
  if (Object.keys(rest).length > 0) fail("`decisionLog.rotate` knows `bytes` and `daily`");
  if (bytes !== undefined) checkCount("rotate.bytes", bytes);
  if (daily !== undefined && typeof daily !== "boolean")
    fail("`decisionLog.rotate.daily` must be true or false");
}

function checkSigning(sign: unknown): void {
  if (sign === undefined) return;
  if (typeof sign !== "object" || sign === null) fail("`decisionLog.sign` must be an object with `key`");
  const {
    key,
    everyLines,
    everySeconds,
    ...rest
  }: { key?: unknown; everyLines?: unknown; everySeconds?: unknown } = Object(sign);
  if (typeof key !== "string") fail("`decisionLog.sign.key` must be an Ed25519 private key in PEM");
  if (everyLines !== undefined) checkCount("sign.everyLines", everyLines);
  if (everySeconds !== undefined) checkCount("sign.everySeconds", everySeconds);
  if (Object.keys(rest).length > 0) fail("`decisionLog.sign` knows `key`, `everyLines` and `everySeconds`");
}

function checkCount(name: string, count: unknown): void {
  if (!(Number.isSafeInteger(count) && Number(count) > 0)) {
    fail(`\`decisionLog.${name}\` must be a whole number above 0`);
  }
}

function fail(message: string): never {
  throw new ConfigurationError(message);
}

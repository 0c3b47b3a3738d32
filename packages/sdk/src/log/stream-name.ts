import { join } from "node:path";
import { ConfigurationError } from "d2-core/call";
import type { Logger } from "../setup/logger.js";
import { nodeCrypto } from "../setup/node-crypto.js";
import { StreamLock } from "./stream-lock.js";

/** @throws ConfigurationError for a name that cannot name files, or names other files of a log */
export function checkStreamName(name: string, shown: string): void {
  if (!/^[\w~-][\w.~-]{0,127}$/.test(name)) {
    throw new ConfigurationError(
      `${shown} cannot be a decision log: its name must be of letters, digits, \`.\`, \`_\`, \`~\` and \`-\``,
    );
  }
  if (/\.(heads|\d{12,})$/.test(name)) {
    throw new ConfigurationError(
      `${shown} cannot be a decision log: names that end like this are for signed heads and earlier files; give the name without the ending`,
    );
  }
}

/** A stream that nobody else writes: the wanted one, or where that is taken, one of its own beside it. */
export function takeStream(
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
    `the decision log \`${first}\` is written by another process: this one writes \`${other}\` beside it (if there is none, remove \`${first}.lock\`)`,
  );
  return { stream: other, lock: second };
}

function ownName(before: string): string {
  return `${before.slice(0, 96)}~${process.pid}-${nodeCrypto().randomBytes(4).toString("hex")}`;
}

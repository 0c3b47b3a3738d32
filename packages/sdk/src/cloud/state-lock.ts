import { nodeFiles } from "../setup/node-files.js";
import { systemCode } from "../source/file-fault.js";

/** Milliseconds between two tries, and how many there are. */
const WAIT = 5;
const TRIES = 400;

/**
 * Milliseconds after which a lock belongs to a process that has ended without giving it back. Should it be alive after
 * all, one of two changes is lost; the file is whole in any case.
 */
const STALE = 1000;

/**
 * Runs `work` while no other process does under the same lock. Work is short, so waiting blocks.
 *
 * @throws what `work` throws; the system's error when the lock cannot be had
 */
export function holdLock(path: string, work: () => void): void {
  take(path);
  try {
    work();
  } finally {
    nodeFiles().rmSync(path, { force: true });
  }
}

function take(path: string): void {
  const files = nodeFiles();
  for (let tries = 1; ; tries += 1) {
    try {
      files.closeSync(files.openSync(path, "wx", 0o600));
      return;
    } catch (error) {
      if (systemCode(error) !== "EEXIST" || tries === TRIES) throw error;
      if (isStale(path)) files.rmSync(path, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT);
    }
  }
}

function isStale(path: string): boolean {
  const held = nodeFiles().statSync(path, { throwIfNoEntry: false });
  return held !== undefined && Math.abs(Date.now() - held.mtimeMs) > STALE;
}

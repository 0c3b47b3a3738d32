import { nodeFiles } from "../setup/node-files.js";

/** The right to write a stream: a file that holds the process's id. One process has it at a time. */
export class StreamLock {
  readonly #path: string;
  readonly #content: string;

  private constructor(path: string, content: string) {
    this.#path = path;
    this.#content = content;
  }

  /**
   * Takes the lock, also over from a process that is gone. `undefined`: another one has it.
   *
   * @throws what the file system throws, when no file can be made there
   */
  static take(path: string): StreamLock | undefined {
    const fs = nodeFiles();
    const content = `${process.pid}\n`;
    // Twice: once for a lock that has to be taken over first.
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        fs.writeFileSync(path, content, { flag: "wx", mode: 0o600 });
        return new StreamLock(path, content);
      } catch (error) {
        if (!hasCode(error, "EEXIST")) throw error;
      }
      if (!takeAway(path)) return undefined;
    }
    return undefined;
  }

  release(): void {
    const fs = nodeFiles();
    try {
      if (fs.readFileSync(this.#path, "utf8") === this.#content) fs.unlinkSync(this.#path);
    } catch {
      // It is gone already, or its folder is: nobody is kept out.
    }
  }
}

/** Takes the lock of a dead process away. False: its process is alive. */
function takeAway(path: string): boolean {
  const fs = nodeFiles();
  // Moved away first: of two processes that find the same stale lock only one moves it, and what it moved it looks at.
  const aside = `${path}.${process.pid}`;
  try {
    if (isHeld(fs.readFileSync(path, "utf8"))) return false;
    fs.renameSync(path, aside);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return true;
    throw error;
  }
  const held = isHeld(fs.readFileSync(aside, "utf8"));
  if (held) fs.linkSync(aside, path);
  fs.unlinkSync(aside);
  return !held;
}

/** Whether the process that a lock names is alive. This one does not count itself: it is not given the same stream twice. */
function isHeld(content: string): boolean {
  const pid = Number(content);
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, "ESRCH");
  }
}

/** Whether an error of the file system has this code. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

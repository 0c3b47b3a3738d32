import { nodeCrypto } from "../setup/node-crypto.js";
import { nodeFiles } from "../setup/node-files.js";

/** How often a lock is looked at again that others take and release meanwhile. */
const ATTEMPTS = 20;

/** The right to write a stream: a file that names the process that has it. One has it at a time. */
export class StreamLock {
  readonly #path: string;
  readonly #content: string;

  private constructor(path: string, content: string) {
    this.#path = path;
    this.#content = content;
  }

  /**
   * Takes the lock, also over from a process that is gone. `undefined`: another one has it, or may have it.
   *
   * @throws what the file system throws, when no file can be made there
   */
  static take(path: string): StreamLock | undefined {
    const fs = nodeFiles();
    const id = nodeCrypto().randomBytes(8).toString("hex");
    const content = `${process.pid} ${hostName()} ${startOf(process.pid)} ${id}\n`;
    // Written apart and then linked, so that nobody ever sees a lock without its content.
    const mine = `${path}.${id}`;
    try {
      fs.writeFileSync(mine, content, { flag: "wx", mode: 0o600, flush: true });
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const held = readOrNothing(path);
        if (held === undefined ? putNew(mine, path) : takeOver(path, held, mine)) {
          return new StreamLock(path, content);
        }
        if (held !== undefined && readOrNothing(path) === held) return undefined;
      }
      return undefined;
    } finally {
      fs.rmSync(mine, { force: true });
    }
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

/**
 * Takes the lock of a process that is gone. Of those who find it, one succeeds in putting a claim on its id, and only that
 * one replaces the lock. A claim of a process that is gone is claimed in turn.
 */
function takeOver(path: string, lock: string, mine: string): boolean {
  const fs = nodeFiles();
  const claims: string[] = [];
  for (let holder: string | undefined = lock; holder !== undefined; ) {
    const id = idOfGone(holder);
    if (id === undefined) return false;
    const claim = `${path}.after-${id}`;
    claims.push(claim);
    holder = readOrNothing(claim);
  }
  const claim = claims.at(-1);
  if (claim === undefined || !putNew(mine, claim)) return false;
  // A claim can be had again once the lock it is on has been replaced: then it is worth nothing.
  if (readOrNothing(path) !== lock) {
    fs.rmSync(claim, { force: true });
    return false;
  }
  fs.renameSync(mine, path);
  for (const done of claims) fs.rmSync(done, { force: true });
  return true;
}

/** Makes a file of this content that was not there. False: it was. */
function putNew(content: string, path: string): boolean {
  const fs = nodeFiles();
  try {
    fs.linkSync(content, path);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].some((code) => hasCode(error, code))) throw error;
  }
  // There are file systems without links.
  try {
    fs.copyFileSync(content, path, fs.constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

function readOrNothing(path: string): string | undefined {
  try {
    return nodeFiles().readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/**
 * The id in a lock whose process is certainly gone. `undefined`: it is alive, on another host (which cannot be asked from
 * here), or not named.
 */
function idOfGone(content: string): string | undefined {
  const [, pid, host, start, id] = /^([1-9]\d*) (\S+) (\S+) ([0-9a-f]+)\n$/.exec(content) ?? [];
  if (pid === undefined || id === undefined || host !== hostName()) return undefined;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return hasCode(error, "ESRCH") ? id : undefined;
  }
  // Ids of processes come again; in a container the first process always has the same one.
  const now = startOf(Number(pid));
  return now !== UNKNOWN && start !== UNKNOWN && now !== start ? id : undefined;
}

const UNKNOWN = "-";

/** When a process began, in the system's own measure, where it tells. */
function startOf(pid: number): string {
  try {
    const stat = nodeFiles().readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may hold anything; the 22nd field is the twentieth after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return /^[ZX]$/.test(fields[0] ?? "") ? "ended" : (fields[19] ?? UNKNOWN);
  } catch {
    return UNKNOWN; // there is no /proc, or it does not show this process
  }
}

function hostName(): string {
  try {
    return nodeFiles().readFileSync("/proc/sys/kernel/hostname", "latin1").trim() || UNKNOWN;
  } catch {
    return UNKNOWN; // it is not needed where processes of one host do not hide from each other
  }
}

/** Whether an error of the file system has this code. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

import type { FSWatcher } from "node:fs";
import { nodeFiles } from "../setup/node-files.js";
import { systemCode } from "./file-fault.js";
import { linkSteps } from "./link-steps.js";
import { fileState } from "./read-policy-file.js";

/** How a file is watched. */
export interface WatchTiming {
  /** Milliseconds for which a changed file must stay as it is before it is told. */
  readonly settleMs: number;
  /** Milliseconds between two looks without any event, for file systems that give none. */
  readonly pollMs: number;
  /** Whether to ask the system for events. Default: true. */
  readonly events?: boolean;
}

interface FolderWatch {
  readonly watcher: FSWatcher;
  /** Tells a folder from another one that took its name. */
  readonly inode: bigint;
  names: ReadonlySet<string>;
}

/**
 * Tells when the file at a path is another one than before, or written anew: in place, by renaming, by swapping a link
 * anywhere on the way; and when it goes and comes back. Never keeps the process alive.
 *
 * The folders are watched, not the file: a watched file is the old one once another was renamed over it. Polling finds
 * what events miss, such as files on network mounts.
 */
export class FileWatch {
  readonly #path: string;
  readonly #timing: WatchTiming;
  readonly #listener: () => void;
  readonly #folders = new Map<string, FolderWatch>();
  readonly #poll: NodeJS.Timeout;
  #settling: NodeJS.Timeout | undefined;
  #looking = false;
  #closed = false;
  /** The state that the listener knows of. */
  #seen: string | undefined;
  /** Another state, seen once: told when the next look sees it again. */
  #fresh: string | undefined;

  constructor(path: string, seen: string | undefined, timing: WatchTiming, listener: () => void) {
    this.#path = path;
    this.#seen = seen;
    this.#timing = timing;
    this.#listener = listener;
    this.#poll = setInterval(() => void this.#look(), timing.pollMs).unref();
    // The look after it finds what changed before the folders were watched.
    void this.#watchFolders().then(() => this.#soon());
  }

  /** Takes a state as known, because the file was read in it. */
  know(state: string): void {
    this.#seen = state;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#settling);
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #soon(): void {
    if (this.#closed || this.#settling !== undefined) return;
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      void this.#look();
    }, this.#timing.settleMs).unref();
  }

  async #look(): Promise<void> {
    if (this.#looking) return this.#soon();
    this.#looking = true;
    const state = await stateOf(this.#path);
    if (!this.#closed && state !== this.#seen) {
      if (state !== this.#fresh) {
        this.#fresh = state;
        this.#soon();
      } else {
        this.#seen = state;
        await this.#watchFolders();
        if (!this.#closed) this.#listener();
      }
    }
    this.#looking = false;
  }

  /** Brings the watched folders in line with the links that the path now leads through. */
  async #watchFolders(): Promise<void> {
    if (this.#timing.events === false) return;
    const steps = await linkSteps(this.#path);
    const inodes = new Map<string, bigint | undefined>();
    for (const folder of steps.keys()) inodes.set(folder, await inodeOf(folder));
    if (this.#closed) return;
    for (const [folder, { watcher, inode }] of this.#folders) {
      if (inodes.get(folder) === inode) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const [folder, names] of steps) {
      const known = this.#folders.get(folder);
      const inode = inodes.get(folder);
      if (known !== undefined) known.names = names;
      else if (inode !== undefined) this.#watchFolder(folder, inode, names);
    }
  }

  #watchFolder(folder: string, inode: bigint, names: ReadonlySet<string>): void {
    try {
      const watcher = nodeFiles().watch(folder, { persistent: false });
      const entry: FolderWatch = { watcher, inode, names };
      watcher.on("change", (_, name) => {
        if (typeof name !== "string" || entry.names.has(name)) this.#soon();
      });
      watcher.on("error", () => {
        watcher.close();
        if (this.#folders.get(folder) === entry) this.#folders.delete(folder);
      });
      this.#folders.set(folder, entry);
    } catch {
      // Out of watches, or no events on this file system: polling goes on.
    }
  }
}

async function stateOf(path: string): Promise<string> {
  try {
    return fileState(await nodeFiles().promises.stat(path, { bigint: true }));
  } catch (error) {
    return systemCode(error);
  }
}

async function inodeOf(folder: string): Promise<bigint | undefined> {
  try {
    return (await nodeFiles().promises.stat(folder, { bigint: true })).ino;
  } catch {
    return undefined;
  }
}

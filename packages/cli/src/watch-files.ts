import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname } from "node:path";

/** Milliseconds for which nothing more happens before a change counts as over: editors write in several steps. */
const QUIET = 50;

/**
 * Begins to watch for a change of any of the files. Folders are watched, for editors put a new file in place of the old one.
 *
 * @param paths absolute; a folder among them is watched itself
 * @param since milliseconds since 1970; a file that was written after that has changed
 * @returns resolves when something has changed; with false when the process was told to end
 */
export function watchFiles(paths: readonly string[], since: number): Promise<boolean> {
  const folders = new Set(paths.map((path) => (isFolder(path) ? path : dirname(path))));
  return new Promise((resolve) => {
    let quiet: NodeJS.Timeout | undefined;
    const watchers: FSWatcher[] = [];
    const end = (goOn: boolean) => {
      clearTimeout(quiet);
      for (const watcher of watchers) watcher.close();
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
      resolve(goOn);
    };
    const stop = () => end(false);
    const changed = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => end(true), QUIET);
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
    for (const folder of folders) watchers.push(watch(folder, changed));
    // What changed between being read and being watched.
    if (paths.some((path) => writtenAt(path) > since)) changed();
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function writtenAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

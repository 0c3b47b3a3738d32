import { nodeFiles } from "../setup/node-files.js";

/** How the files of lines end. */
export const ENDING = ".jsonl";

/** Name of a file that is followed by others, by the index of its first line. */
export function segmentName(stream: string, first: number): string {
  return `${stream}.${String(first).padStart(12, "0")}${ENDING}`;
}

/** Names of the files before the current one, newest first. */
export function segmentNames(folder: string, stream: string): string[] {
  const isSegment = (name: string) =>
    name.startsWith(`${stream}.`) && /^\d{12,}\.jsonl$/.test(name.slice(stream.length + 1));
  return nodeFiles()
    .readdirSync(folder)
    .filter(isSegment)
    .sort((a, b) => b.length - a.length || (a < b ? 1 : -1));
}

/** Makes sure that the names of new files survive a loss of power, where a folder can be asked for that. */
export function syncFolder(folder: string): void {
  const fs = nodeFiles();
  let handle: number | undefined;
  try {
    handle = fs.openSync(folder, "r");
    fs.fsyncSync(handle);
  } catch {
    // Windows opens no folders; the names are then as safe as the system makes them.
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
  }
}

/** The code of the file system's error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}

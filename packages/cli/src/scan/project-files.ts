import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";

/** Files and folders as far as a scan asks for them, each looked at once. */
export class ProjectFiles {
  readonly #kinds = new Map<string, "file" | "folder" | "none">();
  readonly #names = new Map<string, readonly string[]>();

  isFile(path: string): boolean {
    return this.#kind(path) === "file";
  }

  isFolder(path: string): boolean {
    return this.#kind(path) === "folder";
  }

  /** The text of a file; `undefined`: it is not there or cannot be read. */
  read(path: string): string | undefined {
    try {
      return readFileSync(path, "utf8");
    } catch {
      // Whoever asks goes on without it; what is listed for scanning is reported by the scan itself.
      return undefined;
    }
  }

  /** The names in a folder, none when it cannot be entered. */
  names(folder: string): readonly string[] {
    const known = this.#names.get(folder);
    if (known !== undefined) return known;
    let names: readonly string[] = [];
    if (this.isFolder(folder)) {
      try {
        names = readdirSync(folder).sort();
      } catch {
        names = [];
      }
    }
    this.#names.set(folder, names);
    return names;
  }

  /** Where a path leads when links are followed. */
  real(path: string): string | undefined {
    try {
      return realpathSync(path);
    } catch {
      // A link to nowhere.
      return undefined;
    }
  }

  #kind(path: string): "file" | "folder" | "none" {
    const known = this.#kinds.get(path);
    if (known !== undefined) return known;
    const found = statSync(path, { throwIfNoEntry: false });
    const kind = found?.isFile() ? "file" : found?.isDirectory() ? "folder" : "none";
    this.#kinds.set(path, kind);
    return kind;
  }
}

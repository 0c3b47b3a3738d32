import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { IgnoreRules } from "./ignore-rules.js";

/** Bytes above which a file is not read: no one writes such by hand. */
export const MAX_FILE_BYTES = 1_000_000;

/** What a walk through a project comes across. Paths are absolute, in no order. */
export interface SourceFiles {
  readonly sources: readonly string[];
  readonly manifests: readonly string[];
  /** Sources above the size limit. */
  readonly large: readonly string[];
  /** Folders that cannot be entered. */
  readonly closed: readonly string[];
  /** Whether the walk stopped at the limit. */
  readonly cut: boolean;
}

const SOURCE = /\.(?:[mc]?[jt]s|[jt]sx)$/;
const NOT_SOURCE = /\.d\.(?:[^./]+\.)?[mc]?ts$|\.min\.[mc]?js$/;
const TEST_FILE = /\.(?:test|spec|e2e|e2e-spec|test-d|cy)\.[mc]?[jt]sx?$/;
const TEST_FOLDERS: ReadonlySet<string> = new Set(["__tests__", "__mocks__", "__fixtures__"]);
const ROOT_TEST_FOLDERS: ReadonlySet<string> = new Set(["test", "tests", "e2e", "cypress"]);
const NEVER: ReadonlySet<string> = new Set(["node_modules", "bower_components", "jspm_packages"]);
const BUILT: ReadonlySet<string> = new Set(["dist", "build", "out", "coverage"]);

interface Folder {
  readonly path: string;
  readonly rules: readonly { readonly home: string; readonly rules: IgnoreRules }[];
  /** Whether it lies in a `src`, where a folder named `build` is a source folder. */
  readonly inSource: boolean;
}

/**
 * Walks through a project: leaves out packages that were installed, what is built, tests, hidden folders, symbolic
 * links and what `.gitignore` leaves out.
 *
 * @param outputs the folders that a folder's own compiler settings name as output
 */
export async function findSourceFiles(
  root: string,
  maxFiles: number,
  outputs: (folder: string) => readonly string[],
): Promise<SourceFiles> {
  const found = {
    sources: [] as string[],
    manifests: [] as string[],
    large: [] as string[],
    closed: [] as string[],
  };
  const built = new Set<string>();
  const open: Folder[] = [{ path: root, rules: await rulesAbove(root), inSource: false }];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    let entries: readonly { readonly name: string; isFile(): boolean; isDirectory(): boolean }[];
    try {
      entries = await readdir(folder.path, { withFileTypes: true });
    } catch (error) {
      if (folder.path === root) throw error;
      found.closed.push(folder.path);
      continue;
    }
    const names = new Set(entries.map(({ name }) => name));
    for (const output of outputs(folder.path)) built.add(output);
    const rules = [...folder.rules, ...(names.has(".gitignore") ? await rulesOf(folder.path) : [])];
    const isPackage = folder.path === root || names.has("package.json");
    const ignored = (name: string, isFolder: boolean) => isIgnored(join(folder.path, name), isFolder, rules);
    for (const entry of entries) {
      const path = join(folder.path, entry.name);
      if (entry.isDirectory()) {
        const home = { isPackage, inSource: folder.inSource };
        if (isLeftOut(entry.name, home) || built.has(path) || ignored(entry.name, true)) continue;
        open.push({ path, rules, inSource: folder.inSource || entry.name === "src" });
      } else if (entry.isFile()) {
        if (entry.name === "package.json") found.manifests.push(path);
        if (!isSource(entry.name) || ignored(entry.name, false) || isCompiled(entry.name, names)) continue;
        if (found.sources.length >= maxFiles) return { ...found, cut: true };
        if ((await stat(path)).size > MAX_FILE_BYTES) found.large.push(path);
        else found.sources.push(path);
      }
    }
  }
  return { ...found, cut: false };
}

function isSource(name: string): boolean {
  return SOURCE.test(name) && !NOT_SOURCE.test(name) && !TEST_FILE.test(name);
}

/** Whether the TypeScript that a file comes from lies beside it. */
function isCompiled(name: string, names: ReadonlySet<string>): boolean {
  const [, stem, kind] = /^(.*)\.([mc]?)jsx?$/.exec(name) ?? [];
  return stem !== undefined && (names.has(`${stem}.${kind}ts`) || names.has(`${stem}.${kind}tsx`));
}

function isLeftOut(name: string, home: { readonly isPackage: boolean; readonly inSource: boolean }): boolean {
  if (NEVER.has(name) || name.startsWith(".") || TEST_FOLDERS.has(name)) return true;
  if (home.isPackage && ROOT_TEST_FOLDERS.has(name)) return true;
  if (home.inSource) return false;
  // Beside sources that are in no package of their own, only `dist` is sure to be built.
  return name === "dist" || (home.isPackage && BUILT.has(name));
}

function isIgnored(path: string, isFolder: boolean, rules: Folder["rules"]): boolean {
  for (const { home, rules: own } of rules.toReversed()) {
    const answer = own.ignores(relative(home, path).split(sep).join("/"), isFolder);
    if (answer !== undefined) return answer;
  }
  return false;
}

async function rulesOf(folder: string): Promise<Folder["rules"]> {
  try {
    return [{ home: folder, rules: new IgnoreRules(await readFile(join(folder, ".gitignore"), "utf8")) }];
  } catch {
    // Whatever cannot be read ignores nothing: better a file too many than one missed.
    return [];
  }
}

/** The rules of the folders above, up to the one that holds the repository. */
async function rulesAbove(root: string): Promise<Folder["rules"]> {
  const above: string[] = [];
  for (let folder = resolve(root); !(await exists(join(folder, ".git"))); ) {
    const parent = dirname(folder);
    if (parent === folder) return [];
    above.unshift(parent);
    folder = parent;
  }
  return (await Promise.all(above.map(rulesOf))).flat();
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

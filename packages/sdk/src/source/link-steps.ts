import { join, parse, resolve, sep } from "node:path";
import { nodeFiles } from "../setup/node-files.js";

/** As many links as Linux follows in one path. */
const MAX_LINKS = 40;

/**
 * The names that decide which file a path leads to: every link on the way, and the file itself, by the folder that each
 * is in. Names in a folder change when a link is swapped or a file replaced.
 */
export async function linkSteps(path: string): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const steps = new Map<string, Set<string>>();
  const note = (folder: string, name: string) => {
    const names = steps.get(folder);
    if (names === undefined) steps.set(folder, new Set([name]));
    else names.add(name);
  };
  let { root: folder } = parse(resolve(path));
  let left = resolve(path).slice(folder.length).split(sep);
  let links = 0;
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    const here = join(folder, name);
    const target = links < MAX_LINKS ? await linkTarget(here) : undefined;
    if (target !== undefined || left.length === 0) note(folder, name);
    if (target === undefined) {
      folder = here;
      continue;
    }
    links += 1;
    const full = resolve(folder, target);
    folder = parse(full).root;
    left = [...full.slice(folder.length).split(sep), ...left];
  }
  return steps;
}

/** Where a link leads, as it is written; undefined for what is no link or not there. */
async function linkTarget(path: string): Promise<string | undefined> {
  try {
    const { lstat, readlink } = nodeFiles().promises;
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch {
    // What is missing now is found by polling when it comes.
    return undefined;
  }
}

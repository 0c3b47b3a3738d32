import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** File paths with `/`, and what is in them. */
export type Tree = Readonly<Record<string, string>>;

/** Writes a tree into a new folder, hands it over, and takes it away again. */
export async function withTree<T>(tree: Tree, use: (root: string) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), "d2-tree-"));
  try {
    for (const [path, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return await use(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Reads a tree from one text, in which a line `--- path` begins each file. */
export function readTree(name: string): Tree {
  const text = readFileSync(new URL(`./${name}.txt`, import.meta.url), "utf8");
  const parts = text.split(/^--- (.+)\n/m).slice(1);
  const entries: [string, string][] = [];
  for (let at = 0; at < parts.length; at += 2) entries.push([parts[at] ?? "", parts[at + 1] ?? ""]);
  return Object.fromEntries(entries);
}

/**
 * What the comments in a tree say is to be found: `//=> tool.id` at the end of the line on which a guard begins, with
 * `?` for an id that cannot be told. Lines are `file:line id`, sorted.
 */
export function expectedIn(tree: Tree): readonly string[] {
  return Object.entries(tree)
    .flatMap(([path, text]) =>
      text.split("\n").flatMap((line, index) => {
        const ids = line.split("//=> ").slice(1);
        return ids.map((id) => `${path}:${index + 1} ${id.trim()}`);
      }),
    )
    .sort();
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** The text of a page, by its path from the root. */
export const readPage = (page: string): string => readFileSync(join(root, page), "utf8");

/** A fenced block of a page. */
export interface Block {
  /** What stands after the three backticks. */
  readonly info: string;
  readonly text: string;
  /** The code of a `<!-- given ... -->` right before the block: what the reader is taken to have. */
  readonly given: string;
  /** Where the block begins, for failures. */
  readonly place: string;
}

/** Every fenced block of a page, in order. */
export function blocksOf(page: string): readonly Block[] {
  const source = readPage(page);
  const fence = /(?:^<!-- given\n([\s\S]*?)-->\n+)?^```(.*)\n([\s\S]*?)^```$/gm;
  return [...source.matchAll(fence)].map((found) => ({
    info: found[2] ?? "",
    text: found[3] ?? "",
    given: found[1] ?? "",
    place: `${page}:${source.slice(0, found.index).split("\n").length}`,
  }));
}

/** The blocks of a page that have this info string. */
export const blocksWith = (page: string, info: string): readonly Block[] =>
  blocksOf(page).filter((block) => block.info === info);

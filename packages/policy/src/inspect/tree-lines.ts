import type { Marks } from "../marks.js";

/** A line of a printed tree, with what is below it. */
export interface TreeNode {
  readonly text: string;
  readonly below?: readonly TreeNode[];
}

/** Columns after which a text goes on in the next line. */
const WIDTH = 100;

/** Prints nodes one below the other, each with its branches. */
export function treeLines(nodes: readonly TreeNode[], marks: Marks, indent = ""): string[] {
  return nodes.flatMap(({ text, below = [] }, at) => {
    const last = at === nodes.length - 1;
    const inner = `${indent}${last ? "   " : "│  "}`;
    const further = `${inner}${below.length > 0 ? "│ " : "  "}`;
    const lines = wrapped(text, WIDTH - inner.length).map((line, index) =>
      index === 0
        ? `${marks.faint(`${indent}${last ? "└─" : "├─"}`)} ${line}`
        : `${marks.faint(further)}${line}`,
    );
    return [...lines, ...treeLines(below, marks, inner)];
  });
}

/** A text in lines of at most so many columns, broken at blanks that are in no quotes. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.match(WORD) ?? []) {
    const line = lines.at(-1);
    const room = lines.length === 1 ? width : width - 2;
    if (line !== undefined && columns(line) + 1 + columns(word) <= room)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const WORD = /(?:`[^`]*`|"(?:[^"\\]|\\.)*"|\S)+/g;

/** Columns of a text on the screen; what a terminal takes for colours takes none. */
function columns(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with a control character
  return text.replace(/\u001b\[[0-9;]*m/g, "").length;
}

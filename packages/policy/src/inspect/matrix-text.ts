import { type Marks, NO_MARKS } from "../marks.js";
import type { AccessMatrix, Cell } from "./matrix.js";

const WORDS: { readonly [Name in Cell]: string } = {
  allow: "yes",
  conditions: "if",
  forbidden: "never",
  none: "-",
};

const LEGEND =
  "yes: may call   if: may call under rules for arguments or output   never: forbidden   -: not granted";

/**
 * Prints a matrix, a tool a line. Roles that do not fit beside one another follow in further blocks. Ends with a line
 * break.
 *
 * @param options.width columns that there are. Default 100
 */
export function matrixText(
  matrix: AccessMatrix,
  marks: Marks = NO_MARKS,
  options: { readonly width?: number | undefined } = {},
): string {
  const { roles, rows } = matrix;
  if (roles.length === 0 || rows.length === 0) return "there is no role that has a permission\n";
  const first = Math.max(4, ...rows.map(({ tool }) => tool.length)) + 2;
  const blocks = columnBlocks(roles, Math.max(first, options.width ?? 100) - first).map((columns) => {
    const head = columns.map(({ role, width }) => marks.strong(role) + pad(role, width)).join("");
    const lines = rows.map(({ tool, cells }) => {
      const shown = columns.map(({ at, width }) => cellText(cells[at] ?? "none", width, marks)).join("");
      return `${tool}${pad(tool, first)}${shown}`.trimEnd();
    });
    return [`${" ".repeat(first)}${head}`.trimEnd(), ...lines].join("\n");
  });
  return `${blocks.join("\n\n")}\n\n${marks.faint(LEGEND)}\n`;
}

interface Column {
  readonly role: string;
  readonly at: number;
  readonly width: number;
}

/** As many columns a block as fit; one at least. */
function columnBlocks(roles: readonly string[], room: number): Column[][] {
  const blocks: Column[][] = [];
  let left = 0;
  for (const [at, role] of roles.entries()) {
    const width = Math.max(role.length, "never".length) + 2;
    const block = blocks.at(-1);
    if (block === undefined || width > left) {
      blocks.push([{ role, at, width }]);
      left = room - width;
    } else {
      block.push({ role, at, width });
      left -= width;
    }
  }
  return blocks;
}

function cellText(cell: Cell, width: number, marks: Marks): string {
  const word = WORDS[cell];
  return markOf(cell, marks)(word) + pad(word, width);
}

function markOf(cell: Cell, marks: Marks): (text: string) => string {
  switch (cell) {
    case "allow":
      return marks.good;
    case "conditions":
      return marks.warn;
    case "forbidden":
      return marks.bad;
    case "none":
      return marks.faint;
  }
}

function pad(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - text.length));
}

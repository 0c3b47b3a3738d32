import { stdout } from "node:process";

const COLOURS = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;

/** Whether output is coloured: on a terminal, unless `NO_COLOR` is set (https://no-color.org). */
const coloured =
  stdout.isTTY === true && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";

/** The text in a colour, where colours are shown. Pad before painting: the codes have a length too. */
export function paint(colour: keyof typeof COLOURS, text: string): string {
  return coloured ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;
}

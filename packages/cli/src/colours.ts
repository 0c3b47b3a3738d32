import type { Marks } from "d2-policy";
import picocolors from "picocolors";

/**
 * Whether a stream gets colours: `NO_COLOR` (any text) turns them off, `FORCE_COLOR` (but `0` and `false`) on; else a
 * terminal has them, unless it calls itself `dumb`.
 */
export function wantsColours(
  environment: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  const { NO_COLOR: off = "", FORCE_COLOR: on, TERM: terminal } = environment;
  if (off !== "") return false;
  if (on !== undefined) return on !== "0" && on !== "false";
  return isTerminal && terminal !== "dumb";
}

/** The marks of a terminal with colours, or of one without. */
export function marksFor(coloured: boolean): Marks {
  const { bold, green, red, yellow, dim } = picocolors.createColors(coloured);
  return { strong: bold, good: green, bad: red, warn: yellow, faint: dim };
}

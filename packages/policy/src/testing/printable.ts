import { codePointName, findUnseenCharacter } from "d2-core";

/** A text for one line of a report: nothing in it that a terminal would obey or hide. */
export function printable(text: string): string {
  if (findUnseenCharacter(text) === undefined) return text;
  const shown = (point: string) =>
    findUnseenCharacter(point) === undefined ? point : `<${codePointName(point)}>`;
  return [...text].map(shown).join("");
}

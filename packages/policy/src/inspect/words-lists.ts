import { findUnseenCharacter, type PolicyValue } from "d2-core";

/** Values of a list that are written out; of more, the rest is counted. */
const SHOWN = 20;

/** `a`, `a or b`, `a, b or c`; of a long list the first ones and how many more there are. */
export function joined(items: readonly string[], word: "and" | "or"): string {
  const shown = items.length > SHOWN ? [...items.slice(0, SHOWN), `${items.length - SHOWN} more`] : items;
  const last = shown.at(-1);
  if (last === undefined) return "";
  return shown.length === 1 ? last : `${shown.slice(0, -1).join(", ")} ${word} ${last}`;
}

/** Clauses that may hold an `and` themselves are kept apart by commas. */
export function joinedClauses(clauses: readonly string[], word: "and" | "or"): string {
  const plain = clauses.every((clause) => !/ (?:and|or) /.test(clause));
  const last = clauses.at(-1);
  if (plain || last === undefined || clauses.length < 2) return joined(clauses, word);
  return `${clauses.slice(0, -1).join(", ")}, ${word} ${last}`;
}

/** An operand as JSON, with what cannot be seen written as `\u202e`. */
export function shown(operand: PolicyValue): string {
  const text = JSON.stringify(operand);
  if (findUnseenCharacter(text) === undefined) return text;
  return [...text]
    .map((point) => (findUnseenCharacter(point) === undefined ? point : escaped(point)))
    .join("");
}

function escaped(point: string): string {
  const units = Array.from({ length: point.length }, (_, at) => point.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/** Sentences about several things, each of which may list something itself. */
export function joinedSentences(sentences: readonly string[]): string {
  const last = sentences.at(-1);
  if (last === undefined) return "";
  if (sentences.length === 1) return last;
  const listing = sentences.some((sentence) => / and |, /.test(sentence));
  return listing ? `${sentences.slice(0, -1).join("; ")}; and ${last}` : joined(sentences, "and");
}

import { type Marks, NO_MARKS } from "../marks.js";
import type { ChangeDirection, PolicyChange, PolicyDiff, RulePlace } from "./policy-diff.js";

export interface DiffTextOptions {
  /** What the policies are called in places: `policy.yaml:12:7`. Default: the path in the document alone. */
  readonly beforeFile?: string | undefined;
  readonly afterFile?: string | undefined;
}

/**
 * The differences in words: what loosens first, then what cannot be ranked, what tightens, and what decides nothing
 * otherwise. One line a change, and one for the places of its rules.
 */
export function diffText(diff: PolicyDiff, marks: Marks = NO_MARKS, options: DiffTextOptions = {}): string {
  const { before, after, changes } = diff;
  const head = `${marks.strong(before.name)} ${marks.faint(before.version)} -> ${marks.strong(after.name)} ${marks.faint(after.version)}`;
  const sections = SECTIONS.flatMap(({ direction, title, sign }) => {
    const own = changes.filter((change) => change.direction === direction);
    if (own.length === 0) return [];
    const lines = own.flatMap((change) =>
      changeLines(change, coloured(direction, sign, marks), marks, options),
    );
    return [["", marks.strong(`${title} (${own.length})`), ...lines]];
  });
  return [head, ...sections.flat(), "", verdict(diff, marks)].join("\n");
}

interface Section {
  readonly direction: ChangeDirection;
  readonly title: string;
  readonly sign: string;
}

const SECTIONS: readonly Section[] = Object.freeze([
  { direction: "loosened", title: "loosened", sign: "+" },
  { direction: "changed", title: "changed, not ranked", sign: "~" },
  { direction: "tightened", title: "tightened", sign: "-" },
  { direction: "neutral", title: "decides nothing otherwise", sign: "=" },
]);

function coloured(direction: ChangeDirection, sign: string, marks: Marks): string {
  switch (direction) {
    case "loosened":
      return marks.bad(sign);
    case "changed":
      return marks.warn(sign);
    case "tightened":
      return marks.good(sign);
    case "neutral":
      return marks.faint(sign);
  }
}

function changeLines(change: PolicyChange, sign: string, marks: Marks, options: DiffTextOptions): string[] {
  const places = [
    ...placesText("before", change.before, options.beforeFile),
    ...placesText("now", change.after, options.afterFile),
  ];
  const [first = "", ...rest] = wrapped(change.words);
  const lines = [`  ${sign} ${first}`, ...rest.map((line) => `    ${line}`)];
  return [...lines, ...wrapped(places.join("; ")).map((line) => `    ${marks.faint(line)}`)];
}

/** Columns of a line without its margin. */
const WIDTH = 94;

/** Broken at blanks; none for an empty text. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}

/** Most places told of each policy. */
const MAX_PLACES = 3;

function placesText(when: string, places: readonly RulePlace[], file: string | undefined): string[] {
  if (places.length === 0) return [];
  const texts = places.slice(0, MAX_PLACES).map((place) => placeText(place, file));
  const more = places.length > MAX_PLACES ? ` and ${places.length - MAX_PLACES} more` : "";
  return [`${when} ${texts.join(", ")}${more}`];
}

function placeText({ rule, line, column }: RulePlace, file: string | undefined): string {
  if (line === undefined || column === undefined) return rule;
  return file === undefined ? `${rule} (${line}:${column})` : `${file}:${line}:${column}`;
}

function verdict({ direction, mayLoosen, incomplete }: PolicyDiff, marks: Marks): string {
  const stopped = incomplete ? " (the search for sequences stopped at its bound)" : "";
  switch (direction) {
    case "same":
      return `the policies decide the same${stopped}`;
    case "tightened":
      return `${marks.good("tightened")}: nothing is allowed that was refused${stopped}`;
    case "loosened":
      return `${marks.bad("loosened")}: something is allowed that was refused${stopped}`;
    case "mixed":
      return `${marks.bad("loosened")} in part${stopped}`;
    case "changed":
      return `${marks.warn("changed")}: ${mayLoosen ? "something may be allowed that was refused" : ""}${stopped}`;
  }
}

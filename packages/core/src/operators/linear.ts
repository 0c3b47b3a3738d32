import { parseSimplePattern, type Regex } from "./regex-syntax.js";
import { MAX_RUNE, NONE, overlaps, type RuneSet, union } from "./rune-set.js";

/** Native expressions that say the same as a pattern and take linear time, for the uses where that was proved. */
export interface LinearPattern {
  /** Tests a text of at most `MAX_NATIVE_TEXT` units as a whole. */
  readonly whole: RegExp;
  /** Finds the pattern in a text. Absent where a search was not proved linear. */
  readonly search: Search | undefined;
}

/** The same expression for one match and for all of them. */
export interface Search {
  readonly once: RegExp;
  /** Global: for `matchAll`, which keeps no state in it. */
  readonly all: RegExp;
  /** Longest text, in UTF-16 units, that it may be used on. */
  readonly maxText: number;
}

/** Longest text for a match without bound: the native engine's stack, which is limited, grows with the match. */
export const MAX_NATIVE_TEXT = 65_536;

/** Longest match of a pattern that may be searched for: each start costs at most this many characters. */
const MAX_SEARCH_LENGTH = 256;

const MAX_NODES = 500;

/**
 * Translates a pattern for the native engine where that engine provably needs linear time for it. `undefined`: not
 * proved, which is no fault of the pattern. The proof is in `docs/decisions/0003-linear-native-patterns.md`.
 */
export function proveLinear(source: string): LinearPattern | undefined {
  const pattern = parseSimplePattern(source);
  if (pattern === undefined) return undefined;
  const { body, atStart, atEnd } = pattern;
  if (countNodes(body) > MAX_NODES || !isDeterministic(body, NONE)) return undefined;
  const flags = reachesBeyond(body, LAST_PLAIN_RUNE) ? "u" : "";
  const text = write(body, flags === "u");
  const bounded = longest(body) <= MAX_SEARCH_LENGTH;
  const searchable = !isNullable(body) && (atStart || bounded);
  const found = `${atStart ? "^" : ""}(?:${text})${atEnd ? "$" : ""}`;
  return {
    whole: new RegExp(`^(?:${text})$`, flags),
    search: searchable
      ? {
          once: new RegExp(found, flags),
          all: new RegExp(found, `g${flags}`),
          maxText: bounded ? Number.POSITIVE_INFINITY : MAX_NATIVE_TEXT,
        }
      : undefined,
  };
}

/**
 * INVARIANT: where this holds, the next character alone tells which way to go at every choice, and no two ways reach
 * the same place without reading a character. So of all ways through a text at most one goes further than one
 * character, and what backtracking tries again fails at once.
 *
 * @param follow the characters that may come after the expression
 */
function isDeterministic(regex: Regex, follow: RuneSet): boolean {
  switch (regex.kind) {
    case "set":
      return regex.set.length > 0;
    case "sequence": {
      let after = follow;
      for (const part of regex.parts.slice().reverse()) {
        if (!isDeterministic(part, after)) return false;
        after = isNullable(part) ? union([...first(part), ...after]) : first(part);
      }
      return true;
    }
    case "choice": {
      let taken: RuneSet = NONE;
      let nullable = 0;
      for (const option of regex.options) {
        const begins = first(option);
        if (overlaps(taken, begins) || !isDeterministic(option, follow)) return false;
        taken = union([...taken, ...begins]);
        if (isNullable(option)) nullable++;
      }
      return nullable === 0 || (nullable === 1 && !overlaps(taken, follow));
    }
    case "repeat": {
      const { body, min, max } = regex;
      if (isNullable(body)) return false;
      const again = first(body);
      if (min !== max && overlaps(again, follow)) return false;
      return isDeterministic(body, max === 1 ? follow : union([...again, ...follow]));
    }
  }
}

function isNullable(regex: Regex): boolean {
  switch (regex.kind) {
    case "set":
      return false;
    case "sequence":
      return regex.parts.every(isNullable);
    case "choice":
      return regex.options.some(isNullable);
    case "repeat":
      return regex.min === 0 || isNullable(regex.body);
  }
}

/** The characters that a match may begin with. */
function first(regex: Regex): RuneSet {
  switch (regex.kind) {
    case "set":
      return regex.set;
    case "sequence": {
      const sets: (readonly [number, number])[] = [];
      for (const part of regex.parts) {
        sets.push(...first(part));
        if (!isNullable(part)) break;
      }
      return union(sets);
    }
    case "choice":
      return union(regex.options.flatMap(first));
    case "repeat":
      return first(regex.body);
  }
}

/** Code points of the longest match; Infinity for no bound. */
function longest(regex: Regex): number {
  switch (regex.kind) {
    case "set":
      return 1;
    case "sequence":
      return regex.parts.reduce((sum, part) => sum + longest(part), 0);
    case "choice":
      return Math.max(...regex.options.map(longest));
    case "repeat":
      return longest(regex.body) * regex.max;
  }
}

function countNodes(regex: Regex): number {
  switch (regex.kind) {
    case "set":
      return 1;
    case "sequence":
      return regex.parts.reduce((sum, part) => sum + countNodes(part), 1);
    case "choice":
      return regex.options.reduce((sum, option) => sum + countNodes(option), 1);
    case "repeat":
      return 1 + countNodes(regex.body);
  }
}

/** Up to here a code point is one UTF-16 unit and no surrogate: without flag `u` it means the same. */
const LAST_PLAIN_RUNE = 0xd7ff;

function reachesBeyond(regex: Regex, rune: number): boolean {
  switch (regex.kind) {
    case "set":
      return regex.set.some(([, last]) => last > rune);
    case "sequence":
      return regex.parts.some((part) => reachesBeyond(part, rune));
    case "choice":
      return regex.options.some((option) => reachesBeyond(option, rune));
    case "repeat":
      return reachesBeyond(regex.body, rune);
  }
}

/** The expression for the native engine. Only sets, groups, `|` and repeats: nothing that could mean something else. */
function write(regex: Regex, unicode: boolean): string {
  switch (regex.kind) {
    case "set":
      return writeSet(regex.set, unicode);
    case "sequence":
      return regex.parts
        .map((part) => (part.kind === "choice" ? group(part, unicode) : write(part, unicode)))
        .join("");
    case "choice":
      return regex.options.map((option) => write(option, unicode)).join("|");
    case "repeat": {
      const body = regex.body.kind === "set" ? write(regex.body, unicode) : group(regex.body, unicode);
      const max = regex.max === Number.POSITIVE_INFINITY ? "" : String(regex.max);
      return `${body}{${regex.min},${max}}${regex.lazy ? "?" : ""}`;
    }
  }
}

function group(regex: Regex, unicode: boolean): string {
  return `(?:${write(regex, unicode)})`;
}

function writeSet(set: RuneSet, unicode: boolean): string {
  if (set.length === 1 && set[0]?.[0] === 0 && set[0][1] === MAX_RUNE) return "[^]";
  const ranges = set.map(([from, to]) =>
    from === to ? writeRune(from, unicode) : `${writeRune(from, unicode)}-${writeRune(to, unicode)}`,
  );
  return `[${ranges.join("")}]`;
}

function writeRune(rune: number, unicode: boolean): string {
  const digits = rune.toString(16);
  return unicode ? `\\u{${digits}}` : `\\u${digits.padStart(4, "0")}`;
}

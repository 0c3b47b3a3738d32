import { ANY_BUT_NEWLINE, complement, PERL_CLASSES, type RuneSet, single, union } from "./rune-set.js";

/** A regular expression of the simple kind: sets of characters, sequences, alternatives and repeats. */
export type Regex =
  | { readonly kind: "set"; readonly set: RuneSet }
  | { readonly kind: "sequence"; readonly parts: readonly Regex[] }
  | { readonly kind: "choice"; readonly options: readonly Regex[] }
  | {
      readonly kind: "repeat";
      readonly body: Regex;
      readonly min: number;
      /** Infinity for no upper end. */
      readonly max: number;
      readonly lazy: boolean;
    };

/** A parsed pattern. Anchors are known at its two ends only. */
export interface SimplePattern {
  readonly body: Regex;
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

/**
 * Parses the part of RE2's syntax that has one plain meaning. `undefined`: the pattern uses something else (flags,
 * `\b`, Unicode and POSIX classes, anchors in the middle, ...), or is too long to be worth it.
 */
export function parseSimplePattern(source: string): SimplePattern | undefined {
  if (source.length > MAX_SOURCE) return undefined;
  const reader = new Reader(source);
  try {
    const atStart = reader.take("^") || reader.take("\\A");
    const options = readOptions(reader);
    const atEnd = reader.take("$") || reader.take("\\z");
    // An anchor binds tighter than `|`: in `^a|b` it belongs to the first option only.
    if (!reader.done || ((atStart || atEnd) && options.length > 1)) return undefined;
    return { body: choiceOf(options), atStart, atEnd };
  } catch (error) {
    if (error instanceof NotSimple) return undefined;
    throw error;
  }
}

const MAX_SOURCE = 1_000;

/** Thrown inside this module only, where a pattern turns out not to be simple. */
class NotSimple extends Error {}

class Reader {
  readonly #runes: readonly string[];
  #next = 0;
  /** Groups begun so far. */
  groups = 0;

  constructor(source: string) {
    this.#runes = Array.from(source);
  }

  get done(): boolean {
    return this.#next >= this.#runes.length;
  }

  at(text: string): boolean {
    for (let index = 0; index < text.length; index++) {
      if (this.#runes[this.#next + index] !== text[index]) return false;
    }
    return true;
  }

  take(text: string): boolean {
    if (!this.at(text)) return false;
    this.#next += text.length;
    return true;
  }

  peek(): string | undefined {
    return this.#runes[this.#next];
  }

  read(): string {
    const rune = this.#runes[this.#next++];
    if (rune === undefined) throw new NotSimple();
    return rune;
  }
}

function readOptions(reader: Reader): readonly Regex[] {
  const options = [readSequence(reader)];
  while (reader.take("|")) options.push(readSequence(reader));
  return options;
}

function choiceOf(options: readonly Regex[]): Regex {
  const [only] = options;
  return only !== undefined && options.length === 1 ? only : { kind: "choice", options };
}

function readSequence(reader: Reader): Regex {
  const parts: Regex[] = [];
  while (!reader.done && !reader.at("|") && !reader.at(")") && !reader.at("$") && !reader.at("\\z")) {
    parts.push(readRepeat(reader));
  }
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : { kind: "sequence", parts };
}

function readRepeat(reader: Reader): Regex {
  const body = readAtom(reader);
  const bounds = readBounds(reader);
  if (bounds === undefined) return body;
  const lazy = reader.take("?");
  if (reader.at("*") || reader.at("+") || reader.at("?") || reader.at("{")) throw new NotSimple();
  return { kind: "repeat", body, ...bounds, lazy };
}

function readBounds(reader: Reader): { readonly min: number; readonly max: number } | undefined {
  if (reader.take("*")) return { min: 0, max: Number.POSITIVE_INFINITY };
  if (reader.take("+")) return { min: 1, max: Number.POSITIVE_INFINITY };
  if (reader.take("?")) return { min: 0, max: 1 };
  if (!reader.take("{")) return undefined;
  const min = readNumber(reader);
  let max = min;
  if (reader.take(",")) max = reader.at("}") ? Number.POSITIVE_INFINITY : readNumber(reader);
  if (!reader.take("}") || max < min || max === 0) throw new NotSimple();
  return { min, max };
}

function readNumber(reader: Reader): number {
  let digits = "";
  while (/^[0-9]$/.test(reader.peek() ?? "")) digits += reader.read();
  if (!/^(?:0|[1-9][0-9]{0,3})$/.test(digits)) throw new NotSimple();
  return Number(digits);
}

function readAtom(reader: Reader): Regex {
  const rune = reader.read();
  switch (rune) {
    case ".":
      return { kind: "set", set: ANY_BUT_NEWLINE };
    case "[":
      return { kind: "set", set: readClass(reader) };
    case "(":
      return readGroup(reader);
    case "\\":
      return { kind: "set", set: readEscape(reader) };
    case "]":
    case "{":
    case "}":
    case "*":
    case "+":
    case "?":
    case "^":
      throw new NotSimple();
  }
  return { kind: "set", set: single(codeOf(rune)) };
}

function readGroup(reader: Reader): Regex {
  if (reader.take("?") && !reader.take(":")) {
    if (!reader.take("P<") && !reader.take("<")) throw new NotSimple();
    for (let name = reader.read(); name !== ">"; name = reader.read()) {
      if (!/^[A-Za-z0-9_]$/.test(name)) throw new NotSimple();
    }
  }
  if (++reader.groups > MAX_GROUPS) throw new NotSimple();
  const options = readOptions(reader);
  if (!reader.take(")")) throw new NotSimple();
  return choiceOf(options);
}

const MAX_GROUPS = 50;

function readEscape(reader: Reader): RuneSet {
  const rune = reader.read();
  const perl = PERL_CLASSES.get(rune.toLowerCase());
  if (perl !== undefined) return rune === rune.toLowerCase() ? perl : complement(perl);
  return single(readEscapedRune(reader, rune));
}

const CONTROL_ESCAPES: ReadonlyMap<string, number> = new Map([
  ["a", 0x07],
  ["f", 0x0c],
  ["n", 0x0a],
  ["r", 0x0d],
  ["t", 0x09],
  ["v", 0x0b],
]);

function readEscapedRune(reader: Reader, rune: string): number {
  const control = CONTROL_ESCAPES.get(rune);
  if (control !== undefined) return control;
  if (rune === "x") {
    const digits = reader.take("{") ? readUntilBrace(reader) : reader.read() + reader.read();
    if (!/^[0-9A-Fa-f]{1,6}$/.test(digits)) throw new NotSimple();
    return Number.parseInt(digits, 16);
  }
  // Any other letter or digit means something; ASCII punctuation stands for itself.
  if (!/^[!-/:-@[-`{-~]$/.test(rune)) throw new NotSimple();
  return codeOf(rune);
}

function readUntilBrace(reader: Reader): string {
  let digits = "";
  for (let rune = reader.read(); rune !== "}"; rune = reader.read()) digits += rune;
  return digits;
}

function readClass(reader: Reader): RuneSet {
  const negated = reader.take("^");
  const ranges: (readonly [number, number])[] = [];
  for (let first = true; first || !reader.at("]"); first = false) {
    if (reader.at("[:") || (first && reader.at("]"))) throw new NotSimple();
    if (reader.take("\\")) {
      const set = readEscape(reader);
      const [only] = set;
      if (only === undefined || set.length > 1 || only[0] !== only[1]) {
        if (reader.at("-")) throw new NotSimple();
        ranges.push(...set);
        continue;
      }
      ranges.push(readRange(reader, only[0]));
    } else {
      const rune = reader.read();
      if (rune === "-" && !first && !reader.at("]")) throw new NotSimple();
      ranges.push(readRange(reader, codeOf(rune)));
    }
  }
  reader.read();
  const set = union(ranges);
  return negated ? complement(set) : set;
}

/** What follows the first character of a range, if it is one; a `-` before the closing bracket is a character. */
function readRange(reader: Reader, first: number): readonly [number, number] {
  if (!reader.at("-") || reader.at("-]")) return [first, first];
  reader.read();
  let last: number;
  if (reader.take("\\")) {
    const rune = reader.read();
    if (PERL_CLASSES.has(rune.toLowerCase())) throw new NotSimple();
    last = readEscapedRune(reader, rune);
  } else {
    const rune = reader.read();
    if (rune === "[") throw new NotSimple();
    last = codeOf(rune);
  }
  if (last < first) throw new NotSimple();
  return [first, last];
}

function codeOf(rune: string): number {
  return rune.codePointAt(0) ?? 0;
}

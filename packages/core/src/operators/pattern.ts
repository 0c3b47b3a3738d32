import { ConfigurationError } from "../errors.js";
import { compileOnRe2, type Engine, type Span } from "./engine.js";
import { MAX_NATIVE_TEXT, proveLinear } from "./linear.js";

/** A compiled pattern in RE2 syntax. Every method takes time linear in the text. */
export interface Pattern {
  readonly source: string;
  /** Whether the whole text matches. */
  matchesWhole(text: string): boolean;
  /** Whether the pattern is found anywhere in the text. */
  foundIn(text: string): boolean;
  /**
   * Replaces every match. Where matches have no bound on their length and matches times the text's length pass four
   * million, or the engine might need too many steps to find out where they are, the answer is the replacement alone.
   *
   * @returns `undefined` when nothing matches.
   */
  replaceAll(text: string, replacement: string): string | undefined;
  readonly canMatchEmpty: boolean;
  /** Code points of the longest match there can be; `undefined`: no bound. */
  readonly maxMatchLength: number | undefined;
}

export type PatternReading =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly message: string };

/** Instructions that a program may have beyond the length of its source; counted repeats multiply them. */
export const MAX_EXTRA_INSTRUCTIONS = 2_500;

/** Matches times text length that a replacement without bound may take. */
export const MAX_REPLACE_STEPS = 4_000_000;

/**
 * Steps of the engine that finding the places of matches may take: characters that it looks at, times the instructions
 * of the pattern that may be in hand at each. Beyond a match it looks as far as the longest match could reach, so a
 * bound on the length alone, which can be a thousand, would let a few thousand characters take minutes.
 */
export const MAX_ENGINE_STEPS = 2 ** 28;

/** Compiles a pattern, or says why it cannot be used. */
export function readPattern(source: string): PatternReading {
  let engine: Engine;
  try {
    engine = compileOnRe2(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "it cannot be parsed";
    return { ok: false, message: `RE2 refuses the pattern: ${reason}${hintFor(source)}` };
  }
  if (engine.programSize > MAX_EXTRA_INSTRUCTIONS + source.length) {
    return {
      ok: false,
      message:
        `the pattern compiles to ${engine.programSize} steps and ${MAX_EXTRA_INSTRUCTIONS + source.length} is the ` +
        "most it may have: use smaller counted repeats, or `maxLength` for the length",
    };
  }
  return { ok: true, pattern: assemble(source, engine) };
}

/** Compiles a pattern. Throws `ConfigurationError` for one that cannot be used. */
export function compilePattern(source: string): Pattern {
  const reading = readPattern(source);
  if (!reading.ok) throw new ConfigurationError(reading.message);
  return reading.pattern;
}

function assemble(source: string, engine: Engine): Pattern {
  const native = proveLinear(source);
  const whole = native?.whole;
  const search = native?.search;
  return {
    source,
    matchesWhole:
      whole === undefined
        ? engine.matchesWhole
        : (text) => (text.length <= MAX_NATIVE_TEXT ? whole.test(text) : engine.matchesWhole(text)),
    foundIn:
      search === undefined
        ? engine.foundIn
        : (text) => (text.length <= search.maxText ? search.once.test(text) : engine.foundIn(text)),
    replaceAll(text, replacement) {
      const unbounded = engine.maxMatchLength === undefined;
      const most = unbounded ? MAX_REPLACE_STEPS / text.length : Number.POSITIVE_INFINITY;
      if (search !== undefined && text.length <= search.maxText) {
        return replaceAll(nativeMatches(search.all, text), most, text, replacement);
      }
      // Finding out where matches are takes ten times as long as finding out that there are none.
      if (!engine.foundIn(text)) return undefined;
      const affordable = MAX_ENGINE_STEPS / engine.programSize;
      if (text.length > affordable) return replacement;
      const reach = engine.maxMatchLength ?? text.length;
      return replaceAll(engine.matches(text), Math.min(most, affordable / reach), text, replacement);
    },
    canMatchEmpty: engine.canMatchEmpty,
    maxMatchLength: engine.maxMatchLength,
  };
}

function* nativeMatches(expression: RegExp, text: string): Iterable<Span> {
  for (const { index, 0: match } of text.matchAll(expression))
    yield { start: index, end: index + match.length };
}

/** `most`: matches beyond which the replacement stands for the whole text. */
function replaceAll(
  matches: Iterable<Span>,
  most: number,
  text: string,
  replacement: string,
): string | undefined {
  const kept: string[] = [];
  let copied = 0;
  for (const { start, end } of matches) {
    if (kept.length + 1 > most) return replacement;
    kept.push(text.slice(copied, start));
    copied = end;
  }
  if (kept.length === 0) return undefined;
  kept.push(text.slice(copied));
  return kept.join(replacement);
}

/** What to do about syntax that other engines have and RE2 does not. */
function hintFor(source: string): string {
  if (/\(\?<?[=!]/.test(source)) return "; RE2 has no look-ahead and no look-behind";
  if (/\\[1-9]|\(\?P=|\\k</.test(source)) return "; RE2 has no back-references";
  if (/\\Z/.test(source)) return "; RE2 writes the end of the text as `\\z`";
  if (/\(\?>|[*+?}]\+/.test(source)) return "; RE2 has no atomic groups and no possessive repeats";
  return "";
}

/**
 * Which characters a name in a policy may hold: tool ids, prefixes, role names, group names, labels and the policy's
 * own name. Names are compared exactly, without normalisation, so a name that looks like another one and is not would
 * grant or forbid something else than what a reader sees. Refused are:
 *
 * 1. characters that are not seen or that change how their neighbours are seen: control (`Cc`), format (`Cf`: zero-width
 *    characters, bidirectional controls, soft hyphen, tags), lone surrogates (`Cs`), private use (`Co`),
 *    noncharacters, line and paragraph separators, every `Default_Ignorable_Code_Point` (variation selectors, Hangul
 *    fillers), blank Braille, and every blank but the plain space;
 * 2. a segment (the text between `.`, `:`, `/` and spaces) with letters, marks or digits of more than one script, such
 *    as a Cyrillic `а` among Latin letters. Together may stand what is written together: Han with Hiragana and
 *    Katakana, with Bopomofo, or with Hangul, each also with Latin. Full-width and mathematical letters count as a
 *    script of their own.
 *
 * Not covered: a segment written wholly in look-alikes of another script, letters of one script that resemble each
 * other (`l` and `I`), and composed against decomposed accents. Code points that the engine's Unicode version does not
 * know yet are let through, so that a policy loads alike on all versions.
 */

/**
 * Expressions over properties of characters. They are written inside of functions, for the engine reads one when it reads
 * the code around it, and reading these takes longer than all the rest of a guard.
 */
const unseen = (): RegExp =>
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u;

const PLAIN = /^[\x20-\x7e]*$/;

/** The first character that is not seen, or that changes how others are seen: `U+200B`. */
export function findUnseenCharacter(text: string): string | undefined {
  if (PLAIN.test(text)) return undefined;
  const found = unseen().exec(text)?.[0];
  return found === undefined ? undefined : codePointName(found);
}

/** The first segment of a name that mixes scripts in a way that no one writes. */
export function findMixedScripts(name: string): string | undefined {
  if (PLAIN.test(name)) return undefined;
  return name.split(/[.:/ ]/).find((segment) => !PLAIN.test(segment) && mixesScripts(segment));
}

/** `U+200B`: the name of a text's first code point. */
export function codePointName(text: string): string {
  return `U+${(text.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** A name or key for a message: in backticks, shortened, with unseen characters spelt out. */
export function quoted(text: string): string {
  const points = [...text.slice(0, 400)];
  const shown = points
    .slice(0, 80)
    .map((point) => (findUnseenCharacter(point) === undefined ? point : `<${codePointName(point)}>`));
  return `\`${shown.join("")}${points.length > 80 || text.length > 400 ? "…" : ""}\``;
}

const written = (): RegExp => /[\p{L}\p{M}\p{N}]/u;
const shared = (): RegExp => /[\p{Script=Common}\p{Script=Inherited}]/u;

/** Scripts told apart; what belongs to none of them counts as one more. */
const SCRIPTS: readonly (readonly [name: string, letters: () => RegExp])[] = [
  ["Latin", () => /\p{Script=Latin}/u],
  ["Cyrillic", () => /\p{Script=Cyrillic}/u],
  ["Greek", () => /\p{Script=Greek}/u],
  ["Han", () => /\p{Script=Han}/u],
  ["Hiragana", () => /\p{Script=Hiragana}/u],
  ["Katakana", () => /\p{Script=Katakana}/u],
  ["Hangul", () => /\p{Script=Hangul}/u],
  ["Bopomofo", () => /\p{Script=Bopomofo}/u],
  ["Arabic", () => /\p{Script=Arabic}/u],
  ["Hebrew", () => /\p{Script=Hebrew}/u],
  ["Devanagari", () => /\p{Script=Devanagari}/u],
  ["Armenian", () => /\p{Script=Armenian}/u],
  ["Cherokee", () => /\p{Script=Cherokee}/u],
  ["Coptic", () => /\p{Script=Coptic}/u],
  ["Georgian", () => /\p{Script=Georgian}/u],
  ["Glagolitic", () => /\p{Script=Glagolitic}/u],
  ["Gothic", () => /\p{Script=Gothic}/u],
  ["Deseret", () => /\p{Script=Deseret}/u],
  ["Osage", () => /\p{Script=Osage}/u],
  ["Lisu", () => /\p{Script=Lisu}/u],
  ["Thai", () => /\p{Script=Thai}/u],
  ["Lao", () => /\p{Script=Lao}/u],
  ["Bengali", () => /\p{Script=Bengali}/u],
  ["Tamil", () => /\p{Script=Tamil}/u],
  ["Telugu", () => /\p{Script=Telugu}/u],
  ["Kannada", () => /\p{Script=Kannada}/u],
  ["Malayalam", () => /\p{Script=Malayalam}/u],
];

const WRITTEN_TOGETHER: readonly ReadonlySet<string>[] = [
  new Set(["Latin", "Han", "Hiragana", "Katakana"]),
  new Set(["Latin", "Han", "Bopomofo"]),
  new Set(["Latin", "Han", "Hangul"]),
];

function mixesScripts(segment: string): boolean {
  const scripts = new Set<string>();
  for (const point of segment) {
    if (!written().test(point)) continue;
    const script = scriptOf(point);
    if (script !== undefined) scripts.add(script);
  }
  if (scripts.size < 2) return false;
  return !WRITTEN_TOGETHER.some((together) => [...scripts].every((script) => together.has(script)));
}

/** The script of a letter, mark or digit; `undefined` for those that all scripts share. */
function scriptOf(point: string): string | undefined {
  if (isStyledForm(point)) return "styled";
  if (shared().test(point)) return undefined;
  return SCRIPTS.find(([, letters]) => letters().test(point))?.[0] ?? "other";
}

/** Full-width, mathematical, circled and other dressed-up forms of plain ASCII letters and digits. */
function isStyledForm(point: string): boolean {
  return point > "\x7f" && /^[A-Za-z0-9]+$/.test(point.normalize("NFKC"));
}

import { countCodePoints } from "../values/length.js";
import { findMixedScripts, findUnseenCharacter, quoted } from "./name-characters.js";

/** A tool pattern, taken apart. */
export type ToolPattern =
  | { readonly kind: "any" }
  | { readonly kind: "exact"; readonly id: string }
  /** Matches ids that begin with `prefix` (separator included) and are longer. */
  | { readonly kind: "prefix"; readonly prefix: string };

/** Code points that a tool id may have. */
export const MAX_TOOL_ID_LENGTH = 256;

/**
 * What is wrong with a tool id, in one sentence; `undefined` when nothing is. An id has 1 to 256 code points, no white
 * space, no `@`, no `*`, and no characters that `name-characters.ts` refuses. It is compared exactly.
 */
export function checkToolId(text: string): string | undefined {
  if (/^[\w.:/-]{1,256}$/.test(text)) return undefined; // the common case, at a glance
  if (text === "") return "a tool id is empty: name the tool";
  if (text.length > MAX_TOOL_ID_LENGTH && countCodePoints(text) > MAX_TOOL_ID_LENGTH) {
    return `the tool id ${quoted(text)} is longer than ${MAX_TOOL_ID_LENGTH} characters: shorten it`;
  }
  if (/\s/.test(text)) return `the tool id ${quoted(text)} holds white space: take it out`;
  if (text.includes("@"))
    return `the tool id ${quoted(text)} holds an \`@\`: only a group reference begins with one`;
  if (text.includes("*")) {
    return `the \`*\` in ${quoted(text)} is in the wrong place: write \`*\` alone or a prefix that ends in \`.*\`, \`:*\` or \`/*\``;
  }
  return checkCharacters("the tool id", text);
}

/**
 * What is wrong with a name (of a role, a group, a label or a policy), in one sentence; `undefined` when nothing is.
 *
 * @param what What is named, for the message: `the role name`.
 */
export function checkName(what: string, text: string): string | undefined {
  if (/^[\w.:/-]+$/.test(text)) return undefined;
  if (text.trim() === "") return `${what} is empty: write a name`;
  if (text.startsWith(" ") || text.endsWith(" ")) {
    return `${what} ${quoted(text)} begins or ends with a blank: take it out`;
  }
  return checkCharacters(what, text);
}

function checkCharacters(what: string, text: string): string | undefined {
  const unseen = findUnseenCharacter(text);
  if (unseen !== undefined) {
    return `${what} ${quoted(text)} holds ${unseen}, which is invisible, a control character or not a plain blank: take it out`;
  }
  const mixed = findMixedScripts(text);
  if (mixed !== undefined) {
    return `${what} ${quoted(text)} mixes letters of several scripts in ${quoted(mixed)}: write it in one`;
  }
  return undefined;
}

/** Takes a tool pattern apart: an exact id, `*`, or a prefix with a stem; anything else is a fault. */
export function parseToolPattern(
  text: string,
): { readonly ok: true; readonly pattern: ToolPattern } | { readonly ok: false; readonly message: string } {
  if (text === "*") return { ok: true, pattern: { kind: "any" } };
  const prefix = prefixOf(text);
  const message = checkToolId(prefix === undefined ? text : prefix.slice(0, -1));
  if (message !== undefined) {
    if (prefix !== undefined && prefix.length === 1) {
      return {
        ok: false,
        message: `the prefix ${quoted(text)} has no stem: write the text before the separator`,
      };
    }
    return { ok: false, message };
  }
  return {
    ok: true,
    pattern: prefix === undefined ? { kind: "exact", id: text } : { kind: "prefix", prefix },
  };
}

/** The group that a tool reference names, without the `@`; `undefined` for a tool pattern. */
export function groupOf(reference: string): string | undefined {
  return reference.startsWith("@") ? reference.slice(1) : undefined;
}

/** `db.` of `db.*`; `undefined` for what does not end like a prefix pattern. */
function prefixOf(text: string): string | undefined {
  return text.length >= 2 && text.endsWith("*") && isSeparator(text.charCodeAt(text.length - 2))
    ? text.slice(0, -1)
    : undefined;
}

function isSeparator(unit: number): boolean {
  return unit === 0x2e || unit === 0x3a || unit === 0x2f;
}

/** A set of tools, given by patterns. */
export interface ToolMatcher {
  /** Whether a tool is in the set. Takes time linear in the id, whatever the number of patterns. */
  matches(toolId: string): boolean;
  /** Whether some tool could be in both sets. */
  overlaps(other: ToolMatcher): boolean;
  /** `*` is among the patterns. */
  readonly any: boolean;
  readonly exact: ReadonlySet<string>;
  /** With their separator: `db.`. An id that is the prefix itself does not match. */
  readonly prefixes: readonly string[];
}

/**
 * Compiles tool patterns; groups must have been replaced by their patterns.
 *
 * @param patterns Checked tool patterns (see `parseToolPattern`).
 */
export function compileToolMatcher(patterns: Iterable<string>): ToolMatcher {
  const exact = new Set<string>();
  const prefixes = new Set<string>();
  let any = false;
  for (const text of patterns) {
    if (text === "*") {
      any = true;
      continue;
    }
    const prefix = prefixOf(text);
    if (prefix === undefined) exact.add(text);
    else prefixes.add(prefix);
  }
  return new CompiledMatcher(any, exact, prefixes);
}

class CompiledMatcher implements ToolMatcher {
  readonly any: boolean;
  readonly exact: ReadonlySet<string>;
  readonly prefixes: readonly string[];
  readonly #prefixes: ReadonlySet<string>;
  /** Every exact id and prefix in order, so that what lies under a prefix is found by halving. Made when first asked. */
  #sorted: readonly string[] | undefined;

  constructor(any: boolean, exact: ReadonlySet<string>, prefixes: ReadonlySet<string>) {
    this.any = any;
    this.exact = exact;
    this.#prefixes = prefixes;
    this.prefixes = Object.freeze([...prefixes]);
  }

  matches(toolId: string): boolean {
    return this.any || this.exact.has(toolId) || this.#underPrefix(toolId);
  }

  overlaps(other: ToolMatcher): boolean {
    if (this.any) return other.any || other.exact.size > 0 || other.prefixes.length > 0;
    if (other.any) return this.exact.size > 0 || this.prefixes.length > 0;
    for (const id of other.exact) if (this.matches(id)) return true;
    return other.prefixes.some(
      (prefix) => this.#prefixes.has(prefix) || this.#underPrefix(prefix) || this.#reachesUnder(prefix),
    );
  }

  #underPrefix(text: string): boolean {
    if (this.#prefixes.size === 0) return false;
    for (let end = 1; end < text.length; end++) {
      if (isSeparator(text.charCodeAt(end - 1)) && this.#prefixes.has(text.slice(0, end))) return true;
    }
    return false;
  }

  #reachesUnder(prefix: string): boolean {
    this.#sorted ??= [...this.exact, ...this.#prefixes].sort(byUnits);
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (byUnits(this.#sorted[middle] ?? "", prefix) <= 0) low = middle + 1;
      else high = middle;
    }
    return this.#sorted[low]?.startsWith(prefix) === true;
  }
}

function byUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

import type { Violation } from "../decision.js";
import type { Pattern } from "../operators/pattern.js";
import { jsonSize } from "../values/bytes.js";
import { decimalText } from "../values/decimal.js";
import { isList, isMapping } from "../values/kind.js";
import { counted } from "./counted.js";
import { readSpecial } from "./special.js";

/** The global rules of a call, of all its permissions together. */
export interface GlobalChecks {
  readonly empty: boolean;
  readonly patterns: readonly (GlobalCheck & { readonly pattern: Pattern })[];
  readonly absent: readonly (GlobalCheck & { readonly field: string })[];
  /** The smallest size allowed. */
  readonly size: (GlobalCheck & { readonly bytes: number }) | undefined;
}

/** One global rule that a value can break. */
export interface GlobalCheck {
  /** Document path of the rule. */
  readonly rule: string;
  readonly violation: Violation;
}

/**
 * The patterns found in an inspected value and the fields it has although they must be absent, in the order of the rules.
 */
export function contentHits({ patterns, absent }: GlobalChecks, value: unknown): readonly GlobalCheck[] {
  if (patterns.length === 0 && absent.length === 0) return [];
  const texts = new Set<GlobalCheck>();
  const fields = new Map(absent.map((check) => [check.field, check]));
  const present = new Set<string>();
  const tried = (text: string): void => {
    for (const check of patterns) if (!texts.has(check) && check.pattern.foundIn(text)) texts.add(check);
  };
  searchIn(value, {
    text: tried,
    key(key, entry) {
      tried(key);
      if (entry !== undefined && fields.has(key)) present.add(key);
    },
  });
  return [
    ...patterns.filter((check) => texts.has(check)),
    ...absent.filter(({ field }) => present.has(field)),
  ];
}

/**
 * Whether an inspected value is larger than allowed, or cannot be written as JSON.
 *
 * @param spent bytes that came before, for the items of a stream
 * @param special whether anything in the value counts as other than it is
 * @returns the bytes up to and with this value, or the rule that is broken
 */
export function sizeHit(
  { size }: GlobalChecks,
  value: unknown,
  spent: number,
  special: boolean,
): number | GlobalCheck {
  // A tool that returned nothing has nothing to measure.
  if (size === undefined || value === undefined) return spent;
  const bytes = jsonSize(special ? counted(value) : value, size.bytes - spent);
  return bytes === undefined || spent + bytes > size.bytes ? size : spent + bytes;
}

interface Search {
  text(text: string): void;
  key(key: string, entry: unknown): void;
}

/** Shows every string, number text and key of an inspected value. */
function searchIn(value: unknown, search: Search, seen = new Set<object>()): void {
  switch (typeof value) {
    case "string":
      search.text(value);
      return;
    case "number":
    case "bigint": {
      const text = decimalText(value);
      if (text !== undefined) search.text(text);
      return;
    }
    case "object":
      if (value === null || seen.has(value)) return;
      seen.add(value);
      searchInObject(value, search, seen);
      return;
    case "boolean":
    case "undefined":
    case "symbol":
    case "function":
      return;
  }
}

function searchInObject(value: object, search: Search, seen: Set<object>): void {
  if (isList(value)) {
    for (const item of value) searchIn(item, search, seen);
    return;
  }
  if (isMapping(value)) {
    for (const key of Object.keys(value)) {
      const entry = value[key];
      search.key(key, entry);
      searchIn(entry, search, seen);
    }
    return;
  }
  const special = readSpecial(value);
  switch (special.kind) {
    case "text":
      search.text(special.read());
      return;
    case "items":
      for (const item of special.items) searchIn(item, search, seen);
      return;
    case "entries":
      for (const [key, entry] of special.entries) {
        search.key(key, entry);
        searchIn(entry, search, seen);
      }
  }
}

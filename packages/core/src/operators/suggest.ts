import type { OperatorName } from "../document/document.js";

/** What other languages and schemas call our operators. Letters and digits only, lower case. */
const OPERATOR_WORDS: ReadonlyMap<string, OperatorName> = new Map([
  ["require", "required"],
  ["mandatory", "required"],
  ["present", "required"],
  ["exists", "required"],
  ["types", "type"],
  ["equal", "eq"],
  ["equals", "eq"],
  ["equalto", "eq"],
  ["const", "eq"],
  ["is", "eq"],
  ["neq", "ne"],
  ["noteq", "ne"],
  ["notequal", "ne"],
  ["notequals", "ne"],
  ["isnot", "ne"],
  ["enum", "in"],
  ["oneof", "in"],
  ["anyof", "in"],
  ["allowed", "in"],
  ["values", "in"],
  ["nin", "not_in"],
  ["notoneof", "not_in"],
  ["noneof", "not_in"],
  ["forbidden", "not_in"],
  ["minimum", "min"],
  ["gte", "min"],
  ["ge", "min"],
  ["atleast", "min"],
  ["maximum", "max"],
  ["lte", "max"],
  ["le", "max"],
  ["atmost", "max"],
  ["greaterthan", "gt"],
  ["above", "gt"],
  ["exclusiveminimum", "gt"],
  ["lessthan", "lt"],
  ["below", "lt"],
  ["exclusivemaximum", "lt"],
  ["minlen", "minLength"],
  ["lengthmin", "minLength"],
  ["minitems", "minLength"],
  ["minproperties", "minLength"],
  ["minimumlength", "minLength"],
  ["maxlen", "maxLength"],
  ["lengthmax", "maxLength"],
  ["maxitems", "maxLength"],
  ["maxproperties", "maxLength"],
  ["maximumlength", "maxLength"],
  ["maxsize", "max_bytes"],
  ["maximumbytes", "max_bytes"],
  ["match", "matches"],
  ["regex", "matches"],
  ["regexp", "matches"],
  ["pattern", "matches"],
  ["notmatch", "not_matches"],
  ["notregex", "not_matches"],
  ["notpattern", "not_matches"],
  ["contain", "contains"],
  ["includes", "contains"],
  ["has", "contains"],
  ["notcontain", "not_contains"],
  ["excludes", "not_contains"],
  ["notincludes", "not_contains"],
  ["startwith", "startsWith"],
  ["prefix", "startsWith"],
  ["beginswith", "startsWith"],
  ["endwith", "endsWith"],
  ["suffix", "endsWith"],
]);

const OPERATORS: readonly OperatorName[] = [
  "required",
  "type",
  "eq",
  "ne",
  "in",
  "not_in",
  "min",
  "max",
  "gt",
  "lt",
  "minLength",
  "maxLength",
  "max_bytes",
  "matches",
  "not_matches",
  "contains",
  "not_contains",
  "startsWith",
  "endsWith",
];

/**
 * The operator that a misspelt one probably means: another language's word for it, other capitals or underscores, or
 * at most two letters wrong (one in a short word). `undefined` when nothing is near.
 */
export function suggestOperator(word: string): OperatorName | undefined {
  const letters = lettersOf(word);
  return OPERATOR_WORDS.get(letters) ?? nearest(letters, OPERATORS);
}

/** The candidate that a misspelt word probably means, judged by its letters alone. */
export function nearest<Name extends string>(word: string, candidates: readonly Name[]): Name | undefined {
  const letters = lettersOf(word);
  if (letters.length > 40) return undefined;
  let best: Name | undefined;
  let least = letters.length <= 4 ? 2 : 3;
  for (const candidate of candidates) {
    const distance = editDistance(letters, lettersOf(candidate));
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

function lettersOf(word: string): string {
  return word.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Letters to insert, delete, replace, or swap with a neighbour, to make one word of the other. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}

/**
 * The known word that a misspelt one most likely stands for: the same but for case and `_` or `-`, a listed alias,
 * or the nearest within a third of its length in edits.
 *
 * @param aliases Words that people bring along from elsewhere, with the word used here.
 */
export function suggestWord(
  word: string,
  known: Iterable<string>,
  aliases?: ReadonlyMap<string, string>,
): string | undefined {
  if (word.length > 64) return undefined;
  const folded = fold(word);
  const alias = aliases?.get(word) ?? aliases?.get(folded);
  if (alias !== undefined) return alias;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(folded.length / 3)) + 1;
  for (const candidate of known) {
    const target = fold(candidate);
    if (target === folded) return candidate;
    if (Math.abs(target.length - folded.length) >= bestDistance) continue;
    const distance = editDistance(folded, target);
    // A word that shares nothing with the other is no misspelling of it, however short both are.
    if (distance < bestDistance && distance < Math.max(folded.length, target.length)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function fold(word: string): string {
  return word.toLowerCase().replace(/[_\-\s]/g, "");
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let least = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        least = Math.min(least, at(beforeLast, column - 2) + 1);
      }
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}

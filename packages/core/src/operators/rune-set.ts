/** A set of code points: ranges `[first, last]`, in order, neither touching nor overlapping. */
export type RuneSet = readonly (readonly [number, number])[];

export const MAX_RUNE = 0x10ffff;

export const NONE: RuneSet = [];
export const ANY_BUT_NEWLINE: RuneSet = complement([[0x0a, 0x0a]]);

/** What RE2's `\d`, `\w` and `\s` stand for: ASCII only. */
export const PERL_CLASSES: ReadonlyMap<string, RuneSet> = new Map<string, RuneSet>([
  ["d", [[0x30, 0x39]]],
  [
    "w",
    [
      [0x30, 0x39],
      [0x41, 0x5a],
      [0x5f, 0x5f],
      [0x61, 0x7a],
    ],
  ],
  [
    "s",
    [
      [0x09, 0x0a],
      [0x0c, 0x0d],
      [0x20, 0x20],
    ],
  ],
]);

export function single(rune: number): RuneSet {
  return [[rune, rune]];
}

/** The set of all code points in any of the ranges, which may come in any order. */
export function union(ranges: RuneSet): RuneSet {
  const sorted = ranges.slice().sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [first, last] of sorted) {
    const before = merged[merged.length - 1];
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

export function complement(set: RuneSet): RuneSet {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [first, last] of set) {
    if (first > next) gaps.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= MAX_RUNE) gaps.push([next, MAX_RUNE]);
  return gaps;
}

export function overlaps(a: RuneSet, b: RuneSet): boolean {
  return a.some(([first, last]) => b.some(([start, end]) => first <= end && start <= last));
}

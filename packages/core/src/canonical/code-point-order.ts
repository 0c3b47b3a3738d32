/**
 * Orders two texts by their code points, as the sort order of every record requires: negative, zero or positive.
 *
 * `<` and `sort()` compare UTF-16 units instead, which puts U+10000 and above (written with the units D800..DFFF)
 * before U+E000..U+FFFF. No locale has a say.
 */
export function compareCodePoints(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** Moves surrogates above all other units, and keeps the order within both. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

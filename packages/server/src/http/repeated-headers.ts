import { Problem } from "./problem.js";

/** Node keeps the first of these and leaves the others out without a word. */
const SINGLE: readonly string[] = Object.freeze(["host", "authorization", "content-type"]);

/**
 * @param raw names and values, by turns
 * @throws Problem 400 when a header is there twice, for a proxy in front may not agree on which one counts
 */
export function refuseRepeated(raw: readonly string[]): void {
  let seen = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const index = singleAt(raw[at] ?? "");
    if (index === -1) continue;
    const bit = 1 << index;
    if ((seen & bit) !== 0) {
      throw new Problem(400, "repeated_header", {
        detail: "`Host`, `Authorization` and `Content-Type` may each be there once",
      });
    }
    seen |= bit;
  }
}

/** Looks at the length first, for it is asked for every header of every request. */
function singleAt(name: string): number {
  const { length } = name;
  return length === 4 || length === 13 || length === 12 ? SINGLE.indexOf(name.toLowerCase()) : -1;
}

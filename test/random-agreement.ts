import { compare, shrink } from "./reference/comparison.js";
import { PLAN_SURFACE } from "./reference/core-surface.js";
import { generateCase } from "./reference/generator.js";
import { describeCase } from "./reference/script.js";

/** Runs seeds through the plan and the reference evaluator; the first difference, shrunk and in words, or nothing. */
export function firstDifference(from: number, count: number, step = 1): string | undefined {
  for (let n = 0; n < count; n += 1) {
    const one = generateCase(from + n * step);
    if (compare(PLAN_SURFACE, one) === undefined) continue;
    const small = shrink(PLAN_SURFACE, one);
    return `${describeCase(small)}\n${JSON.stringify(compare(PLAN_SURFACE, small))}`;
  }
  return undefined;
}

/** How many cases a file runs: `D2_RANDOM_CASES` for longer runs, half of 200,000 in each of the two files otherwise. */
export const CASES = Number(process.env["D2_RANDOM_CASES"] ?? 100_000);

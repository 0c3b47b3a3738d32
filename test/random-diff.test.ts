import { type LoadedPolicy, loadPolicy } from "d2-policy";
import { diffPolicies } from "d2-policy/diff";
import { expect, it } from "vitest";
import { firstFault } from "./random-diff-check.js";
import { generatePair } from "./random-diff-pairs.js";

/** How many pairs are compared: `D2_RANDOM_CASES` for longer runs. */
const PAIRS = Number(process.env["D2_RANDOM_CASES"] ?? 400);

it("a diff of random policies tells every decision that differs, and nothing that does not", {
  timeout: 3_600_000,
}, () => {
  const seen = new Map<string, number>();
  let compared = 0;
  for (let seed = 1; compared < PAIRS; seed += 1) {
    const pair = generatePair(seed);
    const before = loaded(pair.before);
    const after = loaded(pair.after);
    // A small change may make what loading refuses.
    if (before === undefined || after === undefined) continue;
    compared += 1;
    const roles = [
      ["r0", "r1"],
      ["r0", "r2", "renamed"],
    ];
    const diff = diffPolicies(before, after, { roles });
    for (const { kind } of diff.changes) seen.set(kind, (seen.get(kind) ?? 0) + 1);
    const fault = firstFault(before.document, after.document, diff, pair, roles);
    expect(fault === undefined ? undefined : { seed, ...fault }).toBeUndefined();
  }
  // Every kind that these policies can have comes up.
  for (const kind of KINDS) expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(0);
});

const KINDS = [
  "role_added",
  "role_removed",
  "permission_gained",
  "permission_lost",
  "denial_added",
  "denial_removed",
  "input",
  "output",
  "action",
  "global",
  "block",
  "sequence_opened",
  "sequence_closed",
  "sequence_rewritten",
];

function loaded(policy: object): LoadedPolicy | undefined {
  try {
    return loadPolicy(policy, { now: 0 });
  } catch (error) {
    if (error instanceof Error && error.name === "ConfigurationError") return undefined;
    throw error;
  }
}

import { compilePlan, type Decision, type Plan } from "d2-core";
import { type LoadedPolicy, loadPolicy } from "d2-policy";
import { expect, it } from "vitest";
import { ruleKey, searchSlices } from "../packages/policy/src/diff/search-slices.js";
import { searchSequences } from "../packages/policy/src/diff/sequence-search.js";
import { wholeSlice } from "../packages/policy/src/diff/sequence-slice.js";
import { blockingLabels, toolUniverse } from "../packages/policy/src/reach/tool-universe.js";
import { Walk, type WalkState } from "../packages/policy/src/reach/walk.js";
import { generatePair } from "./random-diff-pairs.js";

const PAIRS = Number(process.env["D2_RANDOM_CASES"] ?? 400);
const BOUNDS = { maxStates: 3_000, maxCost: 200_000 };

it("the parts of two automata have in them, for each rule, a difference as short as the whole has", {
  timeout: 3_600_000,
}, () => {
  let compared = 0;
  let different = 0;
  for (let seed = 1; compared < PAIRS; seed += 1) {
    const pair = generatePair(seed);
    const policies = [loaded(pair.before), loaded(pair.after)] as const;
    if (policies[0] === undefined || policies[1] === undefined) continue;
    const documents = [policies[0].document, policies[1].document];
    const plans: readonly [Plan, Plan] = [
      compilePlan(policies[0].document),
      compilePlan(policies[1].document),
    ];
    const labels = blockingLabels(documents);
    // A label that blocks a tool in one policy only is told apart from sequences.
    const told = ({ layer, detail }: Decision, tool: string) => {
      const [old, now] = plans.map((plan) => plan.blocksOf(tool).some(({ label }) => label === detail));
      return layer === "data_flow" && old !== now;
    };
    for (const roles of [["r0"], ["r1"], ["r0", "r1", "r2"]]) {
      const walks = [new Walk(plans[0], roles, { labels }), new Walk(plans[1], roles, { labels })] as const;
      const tools = toolUniverse(documents)
        .map(({ tool }) => tool)
        .filter((tool) => walks.every(({ view }) => view.entry(tool).denial === undefined));
      const side = (walk: Walk) => ({
        walk,
        denial: (state: WalkState, tool: string) => walk.denial(state, tool),
      });
      const whole = searchSequences(side(walks[0]), side(walks[1]), {
        ...BOUNDS,
        told,
        tools: wholeSlice(walks, tools, labels).tools,
        cost: 1,
        judgedOtherwise: () => false,
      });
      if (whole.incomplete) continue;
      const parts = searchSlices({
        ...BOUNDS,
        told,
        plans,
        roles,
        tools,
        labels,
        judgedOtherwise: new Set(),
        denial: (walk, state, tool) => walk.denial(state, tool),
      });
      const lengths = ({ found }: typeof whole) =>
        found.map((it) => `${ruleKey(it)} ${it.calls.length}`).sort();
      expect({ seed, roles, incomplete: parts.incomplete, found: lengths(parts) }).toEqual({
        seed,
        roles,
        incomplete: false,
        found: lengths(whole),
      });
      if (whole.found.length > 0) different += 1;
    }
    compared += 1;
  }
  expect(different).toBeGreaterThan(PAIRS / 10);
});

function loaded(policy: object): LoadedPolicy | undefined {
  try {
    return loadPolicy(policy, { now: 0 });
  } catch (error) {
    if (error instanceof Error && error.name === "ConfigurationError") return undefined;
    throw error;
  }
}

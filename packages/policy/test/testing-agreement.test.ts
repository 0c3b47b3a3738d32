import { describe, expect, it } from "vitest";
import { generateCase } from "../../../test/reference/generator.js";
import { explainCall } from "../src/explain.js";
import { loadPolicy } from "../src/load-policy.js";
import { readPolicyTests, runPolicyTests } from "../src/testing.js";

/** A random case as a test of steps, each of which expects what `explainCall` says. */
function testOf(seed: number) {
  const { policy: authored, user, script } = generateCase(seed);
  const policy = loadPolicy(authored, { now: 0 });
  const starts = script.flatMap((event) => (event.do === "start" ? [event] : [])).slice(0, 6);
  const returned = new Map(
    script.flatMap((event) =>
      event.do === "end" && "returned" in event.ending ? [[event.call, event.ending.returned] as const] : [],
    ),
  );
  const history: string[] = [];
  const steps: object[] = [];
  for (const { id, tool, args } of starts) {
    // Explaining takes earlier calls as released, so a refused value ends the case.
    const output = returned.has(id) ? { value: returned.get(id) } : undefined;
    const { decision, release } = explainCall(policy, { user, tool, args, history: [...history], output });
    const { outcome, reason, layer, rule } = release?.decision ?? decision;
    const returns = output === undefined ? {} : { returns: output.value };
    const expected = { decision: outcome, reason, layer, ...(rule === undefined ? {} : { rule }) };
    steps.push({ call: tool, args, ...returns, expect: expected });
    if (release?.decision.outcome === "deny") break;
    if (decision.outcome === "allow") history.push(tool);
  }
  return { policy, text: JSON.stringify({ tests: [{ name: `seed ${seed}`, user, steps }] }), steps };
}

describe("what a test run decides", () => {
  it("is what explaining says, for 200 random policies", () => {
    const outcomes = new Set<string>();
    let calls = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const { policy, text, steps } = testOf(seed);
      const { suites } = runPolicyTests(policy, readPolicyTests(text));
      const [result] = suites[0]?.cases ?? [];
      expect([seed, result?.status, result?.differences]).toEqual([seed, "passed", []]);
      calls += steps.length;
      if (result !== undefined) outcomes.add(result.actual.reason);
    }
    expect(calls).toBeGreaterThan(800);
    expect([...outcomes].sort()).toEqual(
      expect.arrayContaining(["input_validation", "ok", "output_validation", "sequence_violation"]),
    );
  });

  it("finds a wrong expectation in any of them", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { policy, text, steps } = testOf(seed);
      const wrong = text
        .replaceAll('"reason":"ok"', '"reason":"no_context"')
        .replaceAll('"decision":"allow"', '"decision":"deny"');
      if (steps.length === 0 || wrong === text) continue;
      const { counts } = runPolicyTests(policy, readPolicyTests(wrong));
      expect([seed, counts.failed]).toEqual([seed, 1]);
    }
  });
});

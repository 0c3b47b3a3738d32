import { describe, expect, it } from "vitest";
import { generateCase } from "../../../test/reference/generator.js";
import { type ExplainedCall, type Explanation, explainCall, type Step } from "../src/explain.js";
import { type LoadedPolicy, loadPolicy } from "../src/load-policy.js";
import { changed, outcome } from "./explain-carried-out.js";

const load = (policy: object): LoadedPolicy => loadPolicy(policy, { now: 0 });
const user = (...roles: string[]) => ({ id: "u", roles });
const ruled = (input: object) =>
  load({ policies: [{ role: "a", permissions: [{ tool: "t", conditions: { input } }] }] });

/** A step without its words. */
const bare = ({ words: _, ...step }: Step): unknown => step;
const stepsOf = ({ changes }: Explanation) => changes.map(({ steps }) => steps.map(bare));

/** Explains, and carries out what is said to be verified. */
function explained(policy: LoadedPolicy, call: ExplainedCall): Explanation {
  const explanation = explainCall(policy, call);
  expect(explanation.decision.reason).toBe(outcome(policy, call));
  for (const change of explanation.changes) {
    if (change.verified)
      expect(outcome(policy, changed(policy, call, change)), JSON.stringify(change)).toBe("ok");
  }
  return explanation;
}

describe("a proposed value", () => {
  it.each<[string, object, unknown, unknown]>([
    ["above max", { type: "int", min: 1, max: 100 }, 500, 100],
    ["below min", { type: "int", min: 1, max: 100 }, -5, 1],
    ["not an integer", { type: "int", min: 0.5, max: 9.5 }, 99, 9],
    ["at gt", { gt: 5 }, 5, 6],
    ["between two bounds", { gt: 1, lt: 1.5 }, 7, 1.25],
    ["not among the allowed", { in: ["open", "ajar"] }, "x", "ajar"],
    ["not the one value", { eq: { a: [1] } }, "x", { a: [1] }],
    ["not matching", { matches: "[A-Z]{3}-\\d{4}" }, "x", "AAA-0000"],
    ["not matching, in upper or lower case", { matches: "(?i)inv-(2025|2026)" }, "x", "inv-2025"],
    ["matching and too short", { matches: "[a-z]+", minLength: 5 }, "x", "aaaaa"],
    ["with the wrong beginning and end", { startsWith: "ab", endsWith: "bc" }, "x", "abc"],
    ["without a part", { contains: "mid", startsWith: "s" }, "x", "smid"],
    ["too long", { maxLength: 2 }, "secret", "aa"],
    ["a list too short", { type: "list", minLength: 2 }, [], ["a", "a"]],
    ["of the wrong type", { type: "bool" }, "x", true],
    ["one that is not allowed", { ne: "a", type: "string" }, "a", ""],
  ])("for what is %s comes from the policy and satisfies it", (_, rule, given, value) => {
    const { changes } = explained(ruled({ v: rule }), { tool: "t", user: user("a"), args: { v: given } });
    expect(changes[0]).toMatchObject({ verified: true, steps: [{ kind: "argument", path: "v", value }] });
  });

  it("lists each allowed value", () => {
    const explanation = explained(ruled({ v: { in: ["x", "y"], required: true } }), {
      tool: "t",
      user: user("a"),
      args: { v: "z" },
    });
    expect(stepsOf(explanation)).toEqual([
      [{ kind: "argument", path: "v", value: "x" }],
      [{ kind: "argument", path: "v", value: "y" }],
    ]);
  });

  it("goes where the path leads: into lists, keys with dots, arguments by position, and what had no keys", () => {
    const policy = ruled({ "a.b": { max: 3 } });
    for (const args of [
      { "a.b": 9 },
      { "a.b": 9, a: [{ b: 1 }, { b: 8 }] },
      { a: 5 },
      JSON.parse('{"__proto__":{"a":{"b":9}},"a":{"b":9,"__proto__":1}}'),
    ]) {
      const { changes } = explained(policy, { tool: "t", user: user("a"), args });
      expect(changes.map(({ steps }) => steps[0]?.kind)).toEqual(["argument", "argument_left_out"]);
    }
    const positional = { tool: "t", user: user("a"), params: ["x", "a"], args: [1, { b: 9 }, 5] };
    expect(stepsOf(explained(policy, positional))[0]).toEqual([
      { kind: "arguments" },
      { kind: "argument", path: "a.b", value: 3 },
    ]);
  });

  it("is said in words where nothing satisfies the rule, beside leaving the argument out", () => {
    const policy = ruled({ v: { matches: "\\pL{2}", not_matches: "[a-zA-Z]" } });
    expect(explained(policy, { tool: "t", user: user("a"), args: { v: "x" } }).changes).toMatchObject([
      { verified: true, steps: [{ kind: "argument_left_out" }] },
      { verified: false, steps: [{ kind: "argument", path: "v" }] },
    ]);
  });
});

describe("the smallest change", () => {
  const policy = load({
    metadata: { data_flow: { labels: { read: ["PII"] }, blocks: { PII: ["send"] } } },
    policies: [
      {
        role: "clerk",
        permissions: [
          "read",
          "post",
          "send",
          "redact",
          { tool: "pay", conditions: { input: { n: { max: 9 } } } },
        ],
        sequence: [{ deny: ["read", "post"] }, { allow: ["read", "redact", "post"] }],
      },
      {
        role: "listed",
        permissions: ["ask", "approve", "wire"],
        sequence: {
          mode: "deny",
          rules: [{ allow: ["ask"] }, { allow: ["ask", "approve"] }, { allow: ["ask", "approve", "wire"] }],
        },
      },
      { role: "blocked", permissions: [{ tool: "pay", allow: false }] },
      { role: "guest", permissions: ["read"] },
    ],
  });

  it.each<[string, Partial<ExplainedCall> & { tool: string }, unknown[]]>([
    [
      "a role and an argument together",
      { tool: "pay", user: user("guest"), args: { n: 50 } },
      [
        { kind: "role", roles: ["clerk"] },
        { kind: "argument", path: "n", value: 9 },
      ],
    ],
    [
      "a role less where one forbids",
      { tool: "pay", user: user("clerk", "blocked") },
      [{ kind: "role_without", roles: ["blocked"] }],
    ],
    [
      "one role for another where one forbids and none grants",
      { tool: "pay", user: user("blocked") },
      [
        { kind: "role_without", roles: ["blocked"] },
        { kind: "role", roles: ["clerk"] },
      ],
    ],
    [
      "all of the calls that must go and none of the others",
      { tool: "post", user: user("clerk"), history: ["pay", "read", "pay", "read", "read", "pay"] },
      [{ kind: "call_before", tool: "redact", at: 6 }],
    ],
    [
      "two calls before this one",
      { tool: "wire", user: user("listed") },
      [
        { kind: "call_before", tool: "ask", at: 0 },
        { kind: "call_before", tool: "approve", at: 1 },
      ],
    ],
    [
      "a session without the data, and an argument",
      { tool: "send", user: user("clerk"), facts: ["PII"] },
      [{ kind: "facts_without", labels: ["PII"] }],
    ],
  ])("is %s", (_, call, steps) => {
    expect(stepsOf(explained(policy, call))[0]).toEqual(steps);
  });

  it("leaves out all of the calls that must go, and none of the others", () => {
    const history = ["pay", "read", "pay", "read", "read", "read", "pay"];
    const steps = stepsOf(explained(policy, { tool: "post", user: user("clerk"), history }));
    expect(steps).toContainEqual([{ kind: "history_without", calls: [1, 3, 4, 5] }]);
  });

  it("has nobody to help where the id is empty", () => {
    const { decision, changes } = explained(policy, { tool: "pay", user: { id: "", roles: ["clerk"] } });
    expect(decision.reason).toBe("no_context");
    expect(changes).toMatchObject([{ verified: false, steps: [{ kind: "user" }] }]);
  });

  it("is found in a long history without looking at all of it for each trial", () => {
    const history = Array.from({ length: 5000 }, (_, at) => (at === 2500 ? "read" : "pay"));
    const steps = stepsOf(explained(policy, { tool: "post", user: user("clerk"), history }));
    expect(steps).toContainEqual([{ kind: "history_without", calls: [2500] }]);
  });
});

describe("explanations of random calls", () => {
  function* calls(seeds: number): Generator<{ policy: LoadedPolicy; call: ExplainedCall }> {
    for (let seed = 0; seed < seeds; seed++) {
      const { policy, user, script } = generateCase(seed);
      const loaded = load(policy);
      const starts = script.flatMap((event) => (event.do === "start" ? [event] : []));
      for (const [at, { tool, args }] of starts.slice(0, 7).entries()) {
        yield {
          policy: loaded,
          call: { tool, user, args, history: starts.slice(0, at).map((it) => it.tool) },
        };
      }
    }
  }

  it("list the smallest numbers of calls to leave out", () => {
    let compared = 0;
    for (const { policy, call } of calls(150)) {
      const { history = [] } = call;
      if (outcome(policy, call) !== "sequence_violation") continue;
      const { changes } = explained(policy, call);
      const listed = changes.flatMap(({ steps: [step, ...rest] }) =>
        step?.kind === "history_without" && rest.length === 0 ? [step.calls.length] : [],
      );
      let least = Number.POSITIVE_INFINITY;
      for (let subset = 1; subset < 1 << history.length; subset++) {
        const kept = history.filter((_, at) => (subset & (1 << at)) === 0);
        if (history.length - kept.length < least && outcome(policy, { ...call, history: kept }) === "ok")
          least = history.length - kept.length;
      }
      if (listed.length === 0) continue;
      compared += 1;
      expect(Math.min(...listed), JSON.stringify(call)).toBe(least);
    }
    expect(compared).toBeGreaterThan(20);
  });

  it("are frozen plain data that say the same each time, their layers in agreement with the decision", () => {
    let verified = 0;
    let denied = 0;
    for (const { policy, call } of calls(150)) {
      const explanation = explained(policy, call);
      expect(JSON.stringify(explainCall(policy, call))).toBe(JSON.stringify(explanation));
      const frozen = (value: unknown): boolean =>
        typeof value !== "object" ||
        value === null ||
        (Object.isFrozen(value) && Object.values(value).every(frozen));
      expect(frozen(explanation)).toBe(true);
      const { decision, layers, changes } = explanation;
      const first = layers.find(({ verdict }) => verdict === "deny");
      expect(first?.layer ?? "none").toBe(decision.layer);
      expect(first?.rule).toBe(decision.rule);
      if (decision.outcome === "deny") denied += 1;
      if (changes.some((change) => change.verified)) verified += 1;
    }
    expect(denied).toBeGreaterThan(200);
    expect(verified / denied).toBeGreaterThan(0.5);
  });
});

import { describe, expect, it } from "vitest";
import { generateCase } from "../../../test/reference/generator.js";
import { type ExplainedCall, explainCall, explainText } from "../src/explain.js";
import { type LoadedPolicy, loadPolicy } from "../src/load-policy.js";
import { changed, outcome } from "./explain-carried-out.js";

const load = (policy: object): LoadedPolicy => loadPolicy(policy, { now: 0 });

describe("an explanation", () => {
  const policy = load({
    metadata: {
      name: "shop",
      expires: "2027-01-01T00:00:00Z",
      tool_groups: { egress: ["mail.send", "web.post"] },
      data_flow: { labels: { "crm.read": ["PII"] }, blocks: { PII: ["web.post"] } },
    },
    policies: [
      {
        role: "clerk",
        permissions: [
          "crm.read",
          "clean",
          "@egress",
          {
            tool: "refund",
            conditions: {
              input: { amount: { type: "int", min: 1, max: 100 }, "why.code": { in: ["late"] } },
            },
          },
          { tool: "forbidden", allow: false },
        ],
        sequence: [
          { deny: ["crm.read", "mail.send"], reason: "customers stay inside" },
          { allow: ["crm.read", "clean", "mail.send"] },
        ],
      },
      { role: "lead", permissions: ["refund", "payroll"] },
    ],
  });
  const clerk = { id: "ann", roles: ["clerk"] };
  const explain = (call: Partial<ExplainedCall> & { tool: string }, options = {}) =>
    explainCall(policy, { user: clerk, ...call }, options);

  it("says what each layer says, also after the first that denies", () => {
    const { decision, layers } = explain({ tool: "web.post", history: ["crm.read"], args: {} });
    expect(decision.reason).toBe("data_flow_violation");
    expect(layers.map(({ layer, verdict, would }) => `${layer} ${verdict} ${would}`)).toEqual([
      "policy_state pass pass",
      "context pass pass",
      "permission pass pass",
      "sequence pass pass",
      "data_flow deny deny",
      "input not_reached no_rules",
      "output not_reached no_rules",
    ]);
  });

  it("names the rules that had a say, by their place and in words", () => {
    const { rules } = explain({ tool: "refund", args: { amount: 500, why: { code: "late" } } });
    expect(rules.map(({ rule, effect }) => [effect, rule])).toEqual([
      ["granted", "policies[0].permissions[3]"],
      ["violated", "policies[0].permissions[3].conditions.input.amount"],
      ["satisfied", 'policies[0].permissions[3].conditions.input["why.code"]'],
    ]);
    expect(rules[1]?.words).toBe("`amount` must be of type int, at least 1, at most 100");
    const located = explain({ tool: "refund" }, { locate: () => ({ line: 7, column: 3 }) });
    expect(located.rules[0]).toMatchObject({ line: 7, column: 3 });
  });

  it.each<[string, Partial<ExplainedCall> & { tool: string }, unknown]>([
    ["a role", { tool: "payroll" }, [{ kind: "role", roles: ["lead"] }]],
    [
      "an argument",
      { tool: "refund", args: { amount: 0, why: { code: "late" } } },
      [{ kind: "argument", path: "amount", value: 1 }],
    ],
    [
      "an argument within its bounds",
      { tool: "refund", args: { amount: 101 } },
      [{ kind: "argument", path: "amount", value: 100 }],
    ],
    [
      "a history without a call",
      { tool: "mail.send", history: ["clean", "crm.read"] },
      [{ kind: "history_without", calls: [1] }],
    ],
    [
      "data that was not touched",
      { tool: "web.post", facts: ["PII"] },
      [{ kind: "facts_without", labels: ["PII"] }],
    ],
  ])("proposes %s, and has tried it", (_, call, steps) => {
    const { changes } = explain(call);
    const proposed = changes.find(
      ({ steps: [first] }) => first?.kind === Reflect.get(Object(steps)[0], "kind"),
    );
    expect(proposed).toMatchObject({ verified: true, steps });
    if (proposed === undefined) return;
    expect(outcome(policy, changed(policy, { user: clerk, ...call }, proposed))).toBe("ok");
  });

  it("proposes the call that excuses what was done", () => {
    const { changes } = explain({ tool: "mail.send", history: ["crm.read"] });
    expect(changes.map(({ steps }) => steps[0])).toContainEqual(
      expect.objectContaining({ kind: "call_before", tool: "clean" }),
    );
  });

  it("proposes in words what it cannot try", () => {
    expect(explain({ tool: "nobody.has.it" }).changes[0]).toMatchObject({
      verified: false,
      steps: [{ kind: "grant" }],
    });
    expect(explain({ tool: "refund", args: [5, 6] }).changes[0]).toMatchObject({
      verified: false,
      steps: [{ kind: "arguments" }],
    });
    expect(explain({ tool: "refund", state: "expired" }).changes[0]).toMatchObject({
      verified: false,
      steps: [{ kind: "policy_state" }],
    });
    expect(explainCall(policy, { tool: "refund" }).changes[0]).toMatchObject({
      verified: false,
      steps: [{ kind: "user" }],
    });
  });

  it("says of an allowed call what it closes, what is near, and how long the policy is good for", () => {
    const { close } = explain({ tool: "crm.read" }, { now: Date.UTC(2026, 11, 30) });
    expect(close).toEqual([
      expect.objectContaining({ kind: "sequence", rule: "policies[0].sequence[0]", tools: ["mail.send"] }),
      expect.objectContaining({ kind: "label", tools: ["web.post"] }),
      expect.objectContaining({ kind: "expiry", words: expect.stringContaining("in 2 days") }),
    ]);
    const refund = { tool: "refund", args: { amount: 98, why: { code: "late" } } };
    expect(explain(refund).close.map(({ words, distance }) => [words, distance])).toEqual([
      ["`amount` has come near its bound: at most 100", undefined],
    ]);
    expect(explain(refund, { values: true }).close[0]?.distance).toBe(2);
  });

  it("holds nothing of the caller's values, and is the same each time", () => {
    const call = {
      tool: "refund",
      args: { amount: 4711, why: { code: "SECRET-CODE" }, note: "SECRET-NOTE" },
    };
    const text = JSON.stringify(explain(call));
    expect(text).not.toMatch(/4711|SECRET/);
    expect(JSON.stringify(explain(call))).toBe(text);
  });

  it("reads as plain words", () => {
    expect(
      explainText(explain({ tool: "mail.send", history: ["crm.read"] })),
    ).toBe(`\`mail.send\` for \`clerk\`: deny, sequence_violation by policies[0].sequence[0]
  policy_state pass
  context      pass
  permission   pass
  sequence     deny by policies[0].sequence[0]
  data_flow    not reached
  input        not reached
  output       not reached
rules:
  granted   \`clerk\` may call \`@egress\` (policies[0].permissions[2])
  matched   \`mail.send\` may not follow what this session has called before: customers stay inside (policies[0].sequence[0])
would be allowed by:
  call \`clean\` first, and let it end
  make the call in a session without \`crm.read\` (call 1)
`);
  });

  it("of random policies and calls agrees with the guard, and every change it has tried works", () => {
    let verified = 0;
    let denied = 0;
    for (let seed = 0; seed < 400; seed++) {
      const { policy: written, user, script } = generateCase(seed);
      const random = load(written);
      const calls = script.flatMap((event) => (event.do === "start" ? [event] : []));
      for (const [at, { tool, args }] of calls.slice(0, 4).entries()) {
        const history = calls.slice(0, at).map((before) => before.tool);
        // Only plain objects can be changed key by key.
        const call = { tool, user, history, args: args as Record<string, unknown> };
        const { decision, changes, layers } = explainCall(random, call);
        expect(decision.reason).toBe(outcome(random, call));
        const first = layers.find(({ verdict }) => verdict === "deny");
        expect(first?.reason ?? "ok").toBe(decision.reason);
        if (decision.outcome === "deny") denied += 1;
        for (const change of changes) {
          if (!change.verified) continue;
          verified += 1;
          expect(outcome(random, changed(random, call, change)), JSON.stringify({ seed, call, change })).toBe(
            "ok",
          );
        }
      }
    }
    expect(denied).toBeGreaterThan(200);
    expect(verified).toBeGreaterThan(100);
  });
});

import { describe, expect, it } from "vitest";
import { loadPolicy } from "../src/load-policy.js";
import { type RunTestsOptions, readPolicyTests, runPolicyTests, type TestResult } from "../src/testing.js";

const policy = loadPolicy(
  {
    metadata: {
      expires: "2027-01-01T00:00:00Z",
      data_flow: { labels: { "db.read": ["PII"] }, blocks: { PII: ["web.post"] } },
    },
    policies: [
      {
        role: "clerk",
        permissions: [
          "db.read",
          "redact",
          "web.post",
          "mail.send",
          {
            tool: "refund",
            conditions: {
              input: { amount: { type: "int", max: 100 }, why: { required: true } },
              output: { card: { action: "redact" }, total: { max: 1000 }, max_bytes: 200 },
            },
          },
          { tool: "drop", allow: false },
        ],
        sequence: [
          { deny: ["db.read", "mail.send"], reason: "customers stay inside" },
          { allow: ["db.read", "redact", "mail.send"] },
        ],
      },
      { role: "lead", permissions: ["payroll"] },
    ],
  },
  { now: 0 },
);

function run(test: object, options: RunTestsOptions = {}): TestResult {
  const text = JSON.stringify({
    users: { ann: { roles: ["clerk"] } },
    tools: { pay: { params: ["amount", "why"] } },
    tests: [{ name: "it", user: "ann", ...test }],
  });
  const [result] = runPolicyTests(policy, readPolicyTests(text), options).suites[0]?.cases ?? [];
  if (result === undefined) throw new Error("nothing was run");
  return result;
}

const refund = { call: "refund", args: { amount: 101 } };
const returned = {
  call: "refund",
  args: { amount: 1, why: "late" },
  returns: { card: "12", total: 5, n: [1, { a: 2 }] },
};

describe("an expectation", () => {
  it.each<[string, object, object, string[]]>([
    ["allow", { call: "db.read" }, { decision: "allow" }, []],
    ["allow", { call: "drop" }, { decision: "allow" }, ["decision: expected allow, got deny"]],
    ["deny", { call: "drop" }, { decision: "deny" }, []],
    ["deny", { call: "db.read" }, { decision: "deny" }, ["decision: expected deny, got allow"]],
    ["reason", { call: "payroll" }, { reason: "rbac_denied" }, []],
    [
      "reason",
      { call: "payrol" },
      { reason: "rbac_denied" },
      ["reason: expected `rbac_denied`, got `missing_policy`"],
    ],
    ["layer", refund, { layer: "input" }, []],
    ["layer", refund, { layer: "sequence" }, ["layer: expected `sequence`, got `input`"]],
    ["rule", refund, { rule: "policies[0].permissions[4].conditions.input.amount" }, []],
    ["rule around the deciding one", refund, { rule: "policies[0].permissions[4]" }, []],
    [
      "rule",
      refund,
      { rule: "policies[0].permissions[5]" },
      [
        "rule: expected `policies[0].permissions[5]`, got `policies[0].permissions[4].conditions.input.amount`",
      ],
    ],
    [
      "rule, where none decides",
      { call: "payroll" },
      { rule: "policies[1]" },
      ["rule: expected `policies[1]`, got none"],
    ],
    [
      "rule whose name only begins alike",
      { call: "drop" },
      { rule: "policies[0].permission" },
      ["rule: expected `policies[0].permission`, got `policies[0].permissions[5]`"],
    ],
    ["detail", { history: ["db.read"], call: "mail.send" }, { detail: "customers stay inside" }, []],
    [
      "detail",
      { history: ["db.read"], call: "mail.send" },
      { detail: "because" },
      ["detail: expected `because`, got `customers stay inside`"],
    ],
    ["violations, in any order", refund, { violations: ["why", "amount"] }, []],
    ["violations", refund, { violations: "amount" }, ["violations: expected `amount`, got `amount`, `why`"]],
    [
      "violations",
      { call: "db.read" },
      { violations: "amount" },
      ["violations: expected `amount`, got none"],
    ],
    ["violations, none", { call: "db.read" }, { violations: [] }, []],
    ["value", returned, { value: { n: [1, { a: 2 }], total: 5, card: "[REDACTED]" } }, []],
    [
      "value",
      returned,
      { value: { n: [1, { a: 3, b: 1 }, 4], total: 5 } },
      [
        "value: `n[1].a` is another one",
        "value: `n[1].b` is missing",
        "value: `n[2]` is missing",
        "value: `card` is there and not expected",
      ],
    ],
    ["value", { ...returned, returns: 5 }, { value: 6 }, ["value: `$` is another one"]],
    [
      "value of what is refused",
      { ...returned, returns: { total: 1001 } },
      { value: 6 },
      ["value: nothing was released"],
    ],
    ["value of a denied call", { ...refund, returns: 1 }, { value: 1 }, ["value: nothing was released"]],
    ["part of the value", returned, { value_includes: { n: [1, {}] } }, []],
    [
      "part of the value",
      returned,
      { value_includes: { n: [1], m: 1 } },
      ["value_includes: `n[1]` is there and not expected", "value_includes: `m` is missing"],
    ],
    [
      "reason of a release",
      { ...returned, returns: { total: 1001 } },
      { reason: "output_validation", violations: "total" },
      [],
    ],
    [
      "reason of a release",
      { ...returned, returns: "x".repeat(300) },
      { reason: "output_sanitization", layer: "output" },
      [],
    ],
    [
      "several fields",
      { call: "drop" },
      { decision: "allow", layer: "input" },
      ["decision: expected allow, got deny", "layer: expected `input`, got `permission`"],
    ],
  ])("of %s: %j expects %j", (_, call, expected, differences) => {
    const result = run({ ...call, expect: expected });
    expect(result.differences).toEqual(differences);
    expect(result.status).toBe(differences.length === 0 ? "passed" : "failed");
  });

  it("shows values that differ only when asked to", () => {
    const test = { ...returned, expect: { value: { card: "[REDACTED]", total: 6, n: [1, { a: 2 }, 7] } } };
    const shown = ["value: `total`: expected 6, got 5", "value: `n[2]` is missing, expected 7"];
    expect(run(test, { values: true }).differences).toEqual(shown);
    expect(JSON.stringify(run(test))).not.toContain("REDACTED");
  });

  it("lists ten places of a value and counts the others", () => {
    const { differences } = run({
      ...returned,
      returns: Array(13).fill(1),
      expect: { value: Array(13).fill(2) },
    });
    expect(differences).toHaveLength(11);
    expect(differences.at(-1)).toBe("value: … and 3 more places differ");
  });

  it("is shown without its values, beside what was decided", () => {
    const { expected, actual, call } = run(
      { ...refund, expect: { decision: "allow" } },
      { locate: () => ({ line: 3, column: 4 }) },
    );
    expect(expected).toEqual({ decision: "allow" });
    expect(actual).toEqual({
      decision: "deny",
      reason: "input_validation",
      layer: "input",
      rule: "policies[0].permissions[4].conditions.input.amount",
      line: 3,
      column: 4,
      violations: ["amount", "why"],
    });
    expect(call).toEqual({ tool: "refund", line: 1, column: 91 });
  });
});

describe("a test", () => {
  it("without user is nobody's", () => {
    expect(run({ user: null, call: "db.read", expect: { reason: "no_context" } }).status).toBe("passed");
  });

  it("takes the policy as current, and with `now` as what it is then", () => {
    const call = { call: "db.read" };
    expect(run({ ...call, expect: "allow" }).status).toBe("passed");
    expect(run({ ...call, now: "2026-12-31", expect: "allow" }).status).toBe("passed");
    expect(run({ ...call, now: "2027-01-01", expect: { reason: "policy_expired" } }).status).toBe("passed");
  });

  it("may begin with facts", () => {
    const test = { facts: ["PII"], call: "web.post", expect: { reason: "data_flow_violation" } };
    expect(run(test).status).toBe("passed");
  });

  it("has a history that puts labels on the session and counts for sequences", () => {
    expect(
      run({ history: "db.read", call: "web.post", expect: { reason: "data_flow_violation" } }).status,
    ).toBe("passed");
    expect(run({ history: ["db.read", "redact"], call: "mail.send", expect: "allow" }).status).toBe("passed");
    const failing = { history: ["db.read", { call: "redact", fails: true }], call: "mail.send" };
    expect(run({ ...failing, expect: { reason: "sequence_violation" } }).status).toBe("passed");
  });

  it("is an error when its history is refused", () => {
    const result = run(
      { history: ["db.read", "mail.send"], call: "redact", expect: "allow" },
      { policyFile: "p.yaml", locate: () => ({ line: 3, column: 4 }) },
    );
    expect(result.status).toBe("error");
    expect(result.differences).toEqual([
      "the history is not possible: call 2 of the history, `mail.send`, is denied (sequence_violation, by `policies[0].sequence[0]` at p.yaml:3:4): mend it, or write `assume: true` to take it for given",
    ]);
  });

  it("is an error when what its history returns is refused", () => {
    const { status, differences } = run({
      history: [{ ...returned, returns: { total: 1001 } }],
      call: "redact",
      expect: "allow",
    });
    expect(status).toBe("error");
    expect(differences).toEqual([
      "the history is not possible: what call 1 of the history, `refund`, returns is refused (output_validation, by `policies[0].permissions[4].conditions.output.total`): write `fails: true` if that is meant",
    ]);
  });

  it("may take a call for given that the policy refuses", () => {
    const history = [{ call: "db.read", assume: true }];
    const test = {
      user: { roles: ["clerk", "lead"] },
      call: "web.post",
      expect: { reason: "data_flow_violation" },
    };
    expect(run({ ...test, history }).status).toBe("passed");
    const payroll = [{ call: "payroll", assume: true }];
    expect(run({ history: payroll, call: "redact", expect: "allow" }).status).toBe("passed");
  });

  it("of steps keeps one session, and stops at the first step that is not as expected", () => {
    const steps = [
      { call: "mail.send" },
      { call: "db.read", expect: "allow" },
      { call: "mail.send", expect: { reason: "sequence_violation" } },
      { call: "redact" },
      { call: "mail.send", expect: "allow" },
    ];
    expect(run({ steps }).status).toBe("passed");
    const { status, differences, call } = run({
      steps: [...steps.slice(0, 3), { call: "mail.send", expect: "allow" }, ...steps],
    });
    expect([status, differences, call.tool]).toEqual([
      "failed",
      ["step 4, `mail.send`, decision: expected allow, got deny"],
      "mail.send",
    ]);
  });

  it("of steps is an error when a step that expects nothing is denied", () => {
    const { status, differences } = run({ steps: [{ call: "drop" }, { call: "redact", expect: "allow" }] });
    expect([status, differences]).toEqual([
      "error",
      [
        "the test cannot go on: step 1, `drop`, is denied (rbac_denied, by `policies[0].permissions[5]`): give the step an `expect`",
      ],
    ]);
  });

  it("gives positional arguments the names of the tool", () => {
    const pay = loadPolicy(
      {
        policies: [
          { role: "clerk", permissions: [{ tool: "pay", conditions: { input: { amount: { max: 5 } } } }] },
        ],
      },
      { now: 0 },
    );
    const tests = readPolicyTests(`
tools: { pay: { params: [to, amount] } }
tests:
  - { name: a, user: { roles: clerk }, call: pay, args: [bob, 5], expect: allow }
  - { name: b, user: { roles: clerk }, call: pay, args: { amount: 6 }, expect: { violations: amount } }
`);
    expect(runPolicyTests(pay, tests).counts).toMatchObject({ total: 2, passed: 2 });
  });
});

describe("a run", () => {
  const read = (file: string, names: string[]) =>
    readPolicyTests(
      JSON.stringify({
        tests: names.map((name) => ({ name, call: "t", expect: name === "bad" ? "allow" : "deny" })),
      }),
      { file },
    );

  it("of several files keeps them apart and counts them together", () => {
    const {
      suites,
      counts,
      policy: about,
    } = runPolicyTests(policy, [read("a", ["one", "bad"]), read("b", ["two"])], {
      policyFile: "p.yaml",
    });
    expect(suites.map((suite) => [suite.file, suite.counts.total, suite.counts.failed])).toEqual([
      ["a", 2, 1],
      ["b", 1, 0],
    ]);
    expect(counts).toEqual({ total: 3, passed: 2, failed: 1, errors: 0, leftOut: 0 });
    expect(about).toEqual({ name: "unnamed", version: policy.version, file: "p.yaml" });
  });

  it("runs what the filter lets through and counts the rest", () => {
    const { suites, counts } = runPolicyTests(policy, read("a", ["Number one", "number two", "three"]), {
      filter: "NUMBER",
    });
    expect(suites[0]?.cases.map(({ name }) => name)).toEqual(["Number one", "number two"]);
    expect(counts).toEqual({ total: 2, passed: 2, failed: 0, errors: 0, leftOut: 1 });
  });

  it("notes roles and tools that the policy does not know, each once", () => {
    const tests = readPolicyTests(
      `users: { ann: { roles: [clrk, lead] } }
tests:
  - { name: a, user: ann, call: db.read, expect: deny }
  - { name: b, user: ann, call: db.raed, expect: deny }
  - { name: c, user: ann, call: db.raed, expect: deny }
  - { name: d, user: ann, call: nothing, expect: { reason: missing_policy } }
`,
      { file: "a" },
    );
    const { notes, counts } = runPolicyTests(policy, tests);
    expect(notes.map(({ line, message }) => `${line}: ${message}`)).toEqual([
      "3: the policy says nothing of the role `clrk`: did you mean `clerk`?",
      "4: no permission of the policy names `db.raed`: expect the reason `missing_policy` if that is meant",
    ]);
    expect(counts.passed).toBe(4);
  });

  it("is plain data, the same each time", () => {
    const once = runPolicyTests(policy, read("a", ["one", "bad"]));
    expect(JSON.parse(JSON.stringify(once))).toEqual(
      JSON.parse(JSON.stringify(runPolicyTests(policy, read("a", ["one", "bad"])))),
    );
    expect(JSON.stringify(once)).toContain('"status":"failed"');
  });
});

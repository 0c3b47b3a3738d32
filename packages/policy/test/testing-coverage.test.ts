import { describe, expect, it } from "vitest";
import { loadPolicy } from "../src/load-policy.js";
import { locateIn } from "../src/locate.js";
import { readPolicyText } from "../src/policy-text.js";
import { type Coverage, coverageText, readPolicyTests, runPolicyTests } from "../src/testing.js";

const policyText = `metadata:
  tool_groups: { egress: [web.post] }
  data_flow:
    labels: { db.read: [PII] }
    blocks: { PII: ["@egress"] }
policies:
  - role: clerk
    permissions:
      - db.read
      - redact
      - "@egress"
      - tool: mail.send
        conditions:
          input:
            to: { required: true, type: string, endsWith: "@a.de" }
            tags: { maxLength: 2 }
          output:
            id: { type: int }
            card: { action: filter }
            user.note: { action: redact, matches: "[0-9]+" }
            status: { action: deny, eq: lost }
            deny_if_patterns: [secret, token]
            require_fields_absent: [password]
            max_bytes: 60
      - tool: drop
        allow: false
    sequence:
      - deny: [db.read, mail.send]
      - allow: [db.read, redact, mail.send]
  - role: bot
    permissions: [a, b]
    sequence: { mode: deny, rules: [{ allow: [a] }, { allow: [a, b] }] }
`;
const policy = loadPolicy(policyText, { now: 0 });
const bob = "bob@a.de";

interface Test {
  readonly name?: string;
  readonly [key: string]: unknown;
}

/** Every one of them adds something; together they see all. */
const ALL: readonly Test[] = [
  { call: "drop", expect: "deny" },
  { history: ["db.read"], call: "web.post", expect: "deny" },
  { call: "web.post", expect: "allow" },
  { history: ["db.read"], call: "mail.send", args: { to: bob }, expect: "deny" },
  { history: ["db.read", "redact"], call: "mail.send", args: { to: bob, tags: ["x"] }, expect: "allow" },
  { call: "mail.send", args: { tags: [1, 2, 3] }, expect: { violations: ["to", "tags"] } },
  { call: "mail.send", args: { to: 5 }, expect: "deny" },
  {
    call: "mail.send",
    args: { to: bob },
    returns: { id: 1, card: "1", user: { note: "no 5" }, status: "sent" },
    expect: { value: { id: 1, user: { note: "no [REDACTED]" }, status: "sent" } },
  },
  { call: "mail.send", args: { to: bob }, returns: { id: "1" }, expect: { violations: "id" } },
  { call: "mail.send", args: { to: bob }, returns: { user: { note: "none" } }, expect: "allow" },
  { call: "mail.send", args: { to: bob }, returns: { status: "lost" }, expect: "deny" },
  { call: "mail.send", args: { to: bob }, returns: "a secret token", expect: "deny" },
  { call: "mail.send", args: { to: bob }, returns: { password: "" }, expect: "deny" },
  { call: "mail.send", args: { to: bob }, returns: "x".repeat(60), expect: "deny" },
  { user: "bot", call: "b", expect: "deny" },
  { user: "bot", history: ["a"], call: "b", expect: "allow" },
];

function coverageOf(tests: readonly Test[]): Coverage {
  const text = JSON.stringify({
    users: { clerk: { roles: ["clerk"] }, bot: { roles: ["bot"] } },
    tests: tests.map((test, index) => ({ name: `test ${index}`, user: "clerk", ...test })),
  });
  const run = runPolicyTests(policy, readPolicyTests(text), {
    policyFile: "p.yaml",
    locate: locateIn(readPolicyText(policyText)),
  });
  const bad = run.suites[0]?.cases.filter(({ status }) => status !== "passed") ?? [];
  expect(bad.map(({ name, differences }) => [name, differences])).toEqual([]);
  return run.coverage;
}

/** What a test sees, as `path: outcome` without the path's beginning. */
const seenBy = (...tests: Test[]) =>
  coverageOf(tests).items.flatMap(({ rule, words, outcomes }) =>
    outcomes
      .filter(({ hits }) => hits > 0)
      .map(({ outcome }) => {
        const operator = /must be (\w+)|`(\w+)` is found|a key/.exec(words);
        const part = operator === null ? "" : ` ${operator[1] ?? operator[2] ?? ""}`.trimEnd();
        return `${rule.replace("policies[0].permissions[3].conditions.", "")}${part}: ${outcome}`;
      }),
  );

describe("coverage", () => {
  it("is 100 % only when every outcome has been seen: each of these tests adds some", () => {
    const { percent, seen, of, items } = coverageOf(ALL);
    expect(
      items.flatMap(({ rule, words, outcomes }) =>
        outcomes.filter(({ hits }) => hits === 0).map(({ outcome }) => [rule, words, outcome]),
      ),
    ).toEqual([]);
    expect([percent, seen, of]).toEqual([100, 41, 41]);
    for (const left of ALL) {
      const without = coverageOf(ALL.filter((test) => test !== left));
      expect([left, without.percent < 100]).toEqual([left, true]);
    }
  });

  it("counts hits by item, with places, and shares by kind", () => {
    const { kinds, items, percent } = coverageOf([
      { call: "db.read", expect: "allow" },
      { call: "db.read", user: { roles: ["clerk", "bot"] }, expect: "deny" },
    ]);
    expect(items[0]).toEqual({
      kind: "role",
      rule: "policies[0]",
      words: "the role `clerk`",
      line: 7,
      column: 5,
      outcomes: [{ outcome: "used", hits: 2 }],
    });
    expect(kinds.map(({ kind, seen, of, percent: share }) => [kind, seen, of, share])).toEqual([
      ["role", 2, 2, 100],
      ["permission", 1, 6, 16.6],
      ["denial", 0, 1, 0],
      ["sequence_rule", 1, 6, 16.6],
      ["label", 1, 1, 100],
      ["block", 0, 2, 0],
      ["input_rule", 0, 8, 0],
      ["output_rule", 0, 2, 0],
      ["action", 0, 5, 0],
      ["global_rule", 0, 8, 0],
    ]);
    expect(percent).toBe(12.1);
  });

  it("of a policy that says nothing is complete", () => {
    const nothing = loadPolicy({ policies: [] }, { now: 0 });
    const { coverage } = runPolicyTests(nothing, readPolicyTests("tests: []"));
    expect(coverage).toEqual({ policyFile: undefined, seen: 0, of: 0, percent: 100, kinds: [], items: [] });
  });

  it("asks a rule only when the layers before it let the call through", () => {
    const denied = { history: ["db.read"], call: "mail.send", args: { to: 1 }, expect: "deny" };
    expect(seenBy(denied).filter((seen) => seen.startsWith("input"))).toEqual([]);
  });

  it("counts an operator as satisfied only by a value that is there", () => {
    const input = (args: object, layer = "input") =>
      seenBy({ call: "mail.send", args, expect: { layer } }).filter((seen) => seen.startsWith("input"));
    expect(input({ to: bob }, "none")).toEqual([
      "input.to present: satisfied",
      "input.to of: satisfied",
      "input.to ending: satisfied",
    ]);
    expect(input({})).toEqual(["input.to present: violated"]);
    expect(input({ tags: null, to: null })).toEqual([
      "input.to present: violated",
      "input.to ending: violated",
    ]);
  });

  it("counts an action as left alone only where its field is there", () => {
    const send = { call: "mail.send", args: { to: bob }, expect: "allow" };
    const acted = (returns: object) => seenBy({ ...send, returns }).filter((seen) => /fired|left/.test(seen));
    expect(acted({})).toEqual([]);
    expect(acted({ card: 1, deep: [{ status: "sent" }], user: { note: "x" } })).toEqual([
      "output.card: fired",
      'output["user.note"]: left alone',
      "output.status: left alone",
    ]);
  });

  it("counts the very rule of two with the same path and action", () => {
    const twins = loadPolicy(
      {
        policies: [
          {
            role: "a",
            permissions: [{ tool: "t", conditions: { output: { x: { action: "redact", eq: 1 } } } }],
          },
          {
            role: "b",
            permissions: [{ tool: "t", conditions: { output: { x: { action: "redact", eq: 2 } } } }],
          },
        ],
      },
      { now: 0 },
    );
    const tests = readPolicyTests(
      "tests: [{ name: a, user: { roles: [a, b] }, call: t, returns: { x: 2 }, expect: { value: { x: '[REDACTED]' } } }]",
    );
    const { coverage } = runPolicyTests(twins, tests);
    const actions = coverage.items.filter(({ kind }) => kind === "action");
    expect(actions.map(({ rule, outcomes }) => [rule, outcomes.map(({ hits }) => hits)])).toEqual([
      ["policies[0].permissions[0].conditions.output.x", [0, 1]],
      ["policies[1].permissions[0].conditions.output.x", [1, 0]],
    ]);
  });

  it("counts an allow rule as used by what it excuses or permits, and a deny rule as passed then", () => {
    const send = { call: "mail.send", args: { to: bob }, expect: "allow" };
    const sequence = (test: Test) => seenBy(test).filter((seen) => seen.includes("sequence"));
    expect(sequence({ ...send, history: ["db.read", "redact"] })).toEqual([
      "policies[0].sequence[0]: passed",
      "policies[0].sequence[1]: used",
    ]);
    expect(sequence({ ...send, history: ["redact"] })).toEqual(["policies[0].sequence[0]: passed"]);
    expect(sequence({ user: "bot", call: "b", expect: "deny" })).toEqual(["policies[1].sequence: fired"]);
    expect(sequence({ user: "bot", call: "a", expect: "allow" })).toEqual([
      "policies[1].sequence.rules[0]: used",
      "policies[1].sequence.rules[1]: used",
    ]);
  });

  it("counts the calls of a history, but not those taken for given", () => {
    const seen = (earlier: unknown) => seenBy({ history: [earlier], call: "redact", expect: "allow" });
    expect(seen("db.read")).toContain("policies[0].permissions[0]: granted");
    expect(seen({ call: "db.read", assume: true })).not.toContain("policies[0].permissions[0]: granted");
  });

  it("is printed with what no test has seen, and where that stands", () => {
    const most = ALL.filter((_, index) => index !== 0 && index !== 1);
    expect(coverageText(coverageOf(most))).toBe(`coverage: 95.1 % (39 of 41 outcomes seen)
  roles                 2 of 2    100 %
  permissions           6 of 6    100 %
  forbidden tools       0 of 1      0 %
  sequence rules        6 of 6    100 %
  labels                1 of 1    100 %
  blocks                1 of 2     50 %
  input rules           8 of 8    100 %
  output rules          2 of 2    100 %
  actions               5 of 5    100 %
  global rules          8 of 8    100 %

not seen by any test:
  p.yaml:25:9  \`drop\` is forbidden: forbade
  p.yaml:5:15  \`PII\` blocks \`@egress\`: blocked
`);
    expect(coverageText(coverageOf(ALL)).split("\n\n")).toHaveLength(1);
  });
});

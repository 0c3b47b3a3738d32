import { ConfigurationError, type Diagnostic } from "d2-core";
import { describe, expect, it } from "vitest";
import { formatDiagnostics } from "../src/format-diagnostics.js";
import { readPolicyTests } from "../src/testing.js";

function faultsOf(text: string, format?: "json" | "yaml"): readonly Diagnostic[] {
  try {
    readPolicyTests(text, { file: "a.test.yaml", format });
  } catch (error) {
    if (error instanceof ConfigurationError) return error.diagnostics;
    throw error;
  }
  return [];
}

/** Each fault as `line:column code: message`. */
const printed = (text: string, format?: "json" | "yaml") =>
  faultsOf(text, format).map(({ line, column, code, message }) => `${line}:${column} ${code}: ${message}`);

describe("a file of policy tests", () => {
  it("is read with its places", () => {
    const { file, policy, tests } = readPolicyTests(
      `policy: ../p.yaml
users:
  ana: { roles: analyst }
tests:
  - name: one
    user: ana
    facts: PII
    now: 2026-01-01
    history: [db.read, { call: redact, fails: true }]
    call: reports.generate
    args: { limit: 9007199254740993 }
    expect: { reason: ok }
`,
      { file: "a.test.yaml" },
    );
    expect([file, policy]).toEqual(["a.test.yaml", "../p.yaml"]);
    expect(tests).toHaveLength(1);
    const [test] = tests;
    expect(test).toMatchObject({
      name: "one",
      line: 5,
      column: 5,
      user: { id: "ana", roles: ["analyst"] },
      facts: ["PII"],
      now: Date.UTC(2026, 0, 1),
    });
    expect(test?.calls.map(({ part, number, tool, fails }) => [part, number, tool, fails])).toEqual([
      ["history", 1, "db.read", false],
      ["history", 2, "redact", true],
      ["call", 1, "reports.generate", false],
    ]);
    expect(test?.calls[2]?.args).toEqual([{ limit: 9007199254740993n }]);
    expect(test?.calls[2]?.expect).toEqual({ reason: "ok" });
  });

  it("may be JSON, and then keeps to it", () => {
    const text = `{"tests": [{"name": "a", "call": "t", "expect": "deny"}]}`;
    expect(readPolicyTests(text, { format: "json" }).tests).toHaveLength(1);
    expect(faultsOf("tests: []", "json").map(({ code }) => code)).toEqual(["not_json"]);
  });

  it("shows every fault with its line, a caret and the right word", () => {
    const text = `users:
  ana: { role: [analyst] }
tests:
  - name: one
    user: anna
    cal: t
    expects: allow
`;
    const error = (() => {
      try {
        return readPolicyTests(text, { file: "a.test.yaml" });
      } catch (thrown) {
        return thrown;
      }
    })();
    const faults = `error[unknown_key]: \`role\` is not a key of a user: did you mean \`roles\`?
 --> a.test.yaml:2:10
  |
2 |   ana: { role: [analyst] }
  |          ^^^^ help: write \`roles\`
  = at users.ana.role

error[unknown_user]: \`anna\` is not among the \`users\` of this file: did you mean \`ana\`?
 --> a.test.yaml:5:11
  |
5 |     user: anna
  |           ^^^^ help: write \`ana\`
  = at tests[0].user

error[unknown_key]: \`cal\` is not a key of a test: did you mean \`call\`?
 --> a.test.yaml:6:5
  |
6 |     cal: t
  |     ^^^ help: write \`call\`
  = at tests[0].cal

error[unknown_key]: \`expects\` is not a key of a test: did you mean \`expect\`?
 --> a.test.yaml:7:5
  |
7 |     expects: allow
  |     ^^^^^^^ help: write \`expect\`
  = at tests[0].expects`;
    expect(error).toBeInstanceOf(ConfigurationError);
    if (!(error instanceof ConfigurationError)) return;
    expect(formatDiagnostics(error.diagnostics, { text })).toBe(faults);
    expect(error.message).toBe(`the tests \`a.test.yaml\` have 4 faults and were not run:\n\n${faults}`);
  });

  const test = (rest: string) =>
    `users: { ana: { roles: [] } }\ntests:\n  - name: one\n    user: ana\n${rest}`;

  it.each<[string, string, string[]]>([
    ["an empty file", "", ["1:1 empty_document: the test file is empty: write at least `tests: []`"]],
    ["a list", "[]", ["1:1 wrong_type: a test file must be a mapping, not a list: write a mapping"]],
    ["no tests", "users: {}", ["1:1 missing_tests: a test file needs `tests`: write a list of them"]],
    [
      "a key that is there twice",
      "tests: []\ntests: []",
      ["2:1 duplicate_key: the key `tests` is there twice in one mapping: keep one of them"],
    ],
    ["a tag", "tests: !!seq []", ["1:8 tag: tags have no meaning in a test file: take it out"]],
    [
      "two documents",
      "tests: []\n---\ntests: []",
      [
        "2:1 multiple_documents: a test file is one document, here a second one begins: put it in a file of its own",
      ],
    ],
    [
      "a policy that is no path",
      "policy: 3\ntests: []",
      ["1:9 wrong_type: `policy` must be a string, not the number `3`: put it in quotes"],
    ],
    [
      "a user without roles",
      "users: { ana: { id: a } }\ntests: []",
      ["1:15 missing_roles: a user needs `roles`: write a list, which may be empty"],
    ],
    [
      "a user without an id",
      'users: { ana: { id: "", roles: [] } }\ntests: []',
      ["1:21 empty: `id` is empty: write something, or leave it out"],
    ],
    [
      "a prefix in place of a tool",
      'tools: { "db.*": { params: [a] } }\ntests: []',
      ["1:10 bad_tool: `db.*` may stand for several tools, and a call is of one: write its tool id"],
    ],
    [
      "a tool without params",
      "tools: { t: {} }\ntests: []",
      ["1:13 missing_params: a tool here needs `params`: list them"],
    ],
    [
      "a parameter that is there twice",
      "tools: { t: { params: [a, a] } }\ntests: []",
      ["1:23 bad_params: `params` names `a` twice: give each parameter its own name"],
    ],
    [
      "no name",
      "tests: [{ call: t, expect: deny }]",
      ["1:9 missing_name: a test needs a `name`: say in a sentence what must hold"],
    ],
    [
      "a name that is there twice",
      `tests:
  - { name: a, call: t, expect: deny }
  - { name: a, call: t, expect: deny }`,
      ["3:13 duplicate_name: the name `a` is there twice: give each test a name of its own"],
    ],
    [
      "no call",
      test("    expect: deny"),
      ["3:5 missing_call: it is not said what is called: write `call` and a tool id"],
    ],
    [
      "no expectation",
      test("    call: t"),
      ["3:5 missing_expect: nothing is expected here: write `expect` with `allow`, `deny` or a mapping"],
    ],
    [
      "a call of a group",
      test("    call: '@g'\n    expect: deny"),
      ["5:11 bad_tool: `@g` may stand for several tools, and a call is of one: write its tool id"],
    ],
    [
      "a decision that there is not",
      test("    call: t\n    expect: denied"),
      ["6:13 unknown_decision: `denied` is not a known decision: did you mean `deny`?"],
    ],
    [
      "an empty expectation",
      test("    call: t\n    expect: {}"),
      ["6:13 empty_expectation: nothing is expected here: write at least a `reason`"],
    ],
    [
      "a misspelt reason",
      test("    call: t\n    expect: { reason: rbac_denid }"),
      ["6:23 unknown_reason: `rbac_denid` is not a known reason code: did you mean `rbac_denied`?"],
    ],
    [
      "a rule that is no path",
      test('    call: t\n    expect: { rule: "policies[x]" }'),
      [
        "6:21 contradiction: `policies[x]` is not the path of a rule: write it like `policies[0].sequence[1]`",
      ],
    ],
    [
      "a decision that does not go with its reason",
      test("    call: t\n    expect: { decision: allow, reason: rbac_denied }"),
      ["6:40 contradiction: no call that is decided allow has the reason `rbac_denied`: mend one of them"],
    ],
    [
      "a value of a denied call",
      test("    call: t\n    returns: 1\n    expect: { decision: deny, value: 1 }"),
      ["7:38 contradiction: a denied call releases no value: leave `value` out, or expect `allow`"],
    ],
    [
      "a value of nothing",
      test("    call: t\n    expect: { value_includes: 1 }"),
      ["6:31 contradiction: there is no value to release: say what the function returns with `returns`"],
    ],
    [
      "an output reason without output",
      test("    call: t\n    expect: { reason: output_validation }"),
      [
        "6:23 contradiction: `output_validation` is about what the function returns: say what the function returns with `returns`",
      ],
    ],
    [
      "the output layer without output",
      test("    call: t\n    expect: { layer: output }"),
      [
        "6:22 contradiction: the output is judged only when there is one: say what the function returns with `returns`",
      ],
    ],
    [
      "a failure that returns",
      test("    call: t\n    returns: 1\n    fails: true\n    expect: deny"),
      [
        "6:5 contradiction: a call that fails returns nothing that is looked at: keep one of `fails` and `returns`",
      ],
    ],
    [
      "a flag that is no boolean",
      test("    call: t\n    fails: yes\n    expect: deny"),
      ["6:12 wrong_type: `fails` must be `true` or `false`, not the string `yes`: write `true` or `false`"],
    ],
    [
      "arguments that are no mapping",
      test("    call: t\n    args: 5\n    expect: deny"),
      ["6:11 wrong_type: `args` must be a mapping, not the number `5`: write a mapping"],
    ],
    [
      "a list of arguments without names",
      test("    call: t\n    args: [5]\n    expect: deny"),
      [
        "6:11 unnamed_arguments: a list of arguments needs names: write them as `tools`, `t`, `params`, or give a mapping",
      ],
    ],
    [
      "an argument that is not among the params",
      `tools: { t: { params: [limit] } }
tests: [{ name: a, call: t, args: { limt: 5 }, expect: deny }]`,
      ["2:37 unknown_argument: `limt` is not among the `params` of the tool: did you mean `limit`?"],
    ],
    [
      "an instant that is none",
      test("    call: t\n    now: tomorrow\n    expect: deny"),
      ["6:10 bad_instant: `now` cannot be read as an instant: write it like `2027-01-31T00:00:00Z`"],
    ],
    [
      "an earlier call that says too much",
      test("    call: t\n    history: [{ call: a, expect: deny }, 3]\n    expect: deny"),
      [
        "6:26 unknown_key: `expect` is not a key of a call of the history: use one of `call`, `args`, `returns`, `fails` or `assume`",
        "6:42 wrong_type: a call of the history must be a mapping, not the number `3`: write a mapping",
      ],
    ],
    [
      "a table without rows",
      test("    call: t\n    table: { columns: [user] }"),
      ["6:12 missing_rows: a table needs `rows`: write a list of them"],
    ],
    [
      "rows without columns",
      test("    call: t\n    table: { rows: [[a]] }"),
      ["6:21 missing_columns: rows that are lists need `columns`: name them, or write mappings"],
    ],
    [
      "a row of the wrong length",
      test("    call: t\n    table: { columns: [expect], rows: [[deny, 3]] }"),
      ["6:40 wrong_length: the row has 2 cells for 1 columns: give each column one"],
    ],
    [
      "a column that there is not",
      test("    call: t\n    table: { columns: [expect, expekt, arg.x], rows: [] }"),
      [
        "6:32 unknown_column: `expekt` is not a column of a table: did you mean `expect`?",
        "6:40 unknown_column: `arg.x` is not a column of a table: use a key of a test, or `args.` and a path",
      ],
    ],
    [
      "a row without expectation",
      test("    call: t\n    table: { rows: [{ facts: PII }] }"),
      ["6:21 missing_expect: nothing is expected here: write `expect` with `allow`, `deny` or a mapping"],
    ],
    [
      "a fault around a table, which is reported once",
      test("    call: t\n    now: x\n    table: { columns: [expect], rows: [[deny], [deny]] }"),
      ["6:10 bad_instant: `now` cannot be read as an instant: write it like `2027-01-31T00:00:00Z`"],
    ],
    [
      "steps beside a call",
      test("    call: t\n    steps: [{ call: t, expect: deny }]"),
      ["5:5 contradiction: `call` has no meaning beside `steps`: write it in a step, or take it out"],
    ],
    [
      "steps that expect nothing",
      test("    steps: [{ call: t }]"),
      ["5:12 missing_expect: nothing is expected here: write `expect` with `allow`, `deny` or a mapping"],
    ],
  ])("refuses %s", (_, text, faults) => {
    expect(printed(text)).toEqual(faults);
  });

  it("makes a test of every row, named after the row, and says over what it says around", () => {
    const { tests } = readPolicyTests(`users: { ana: { roles: [a] } }
tests:
  - name: limits
    user: ana
    call: t
    args: { filter: { status: open }, n: 1 }
    expect: { decision: deny, reason: input_validation }
    table:
      columns: [args.filter.age, args.n, reason, user, name]
      rows:
        - [3, ~, ~, ana, no number]
        - [4, 2, rbac_denied, ~, ~]
        - { args: { n: 5 }, expect: allow }
`);
    expect(
      tests.map(({ name, line, user, calls }) => [name, line, user?.id, calls[0]?.args[0], calls[0]?.expect]),
    ).toEqual([
      [
        "limits, no number",
        11,
        "ana",
        { filter: { status: "open", age: 3 }, n: null },
        { decision: "deny", reason: "input_validation" },
      ],
      [
        "limits, row 2",
        12,
        undefined,
        { filter: { status: "open", age: 4 }, n: 2 },
        { decision: "deny", reason: "rbac_denied" },
      ],
      ["limits, row 3", 13, "ana", { n: 5 }, { decision: "allow" }],
    ]);
  });

  it("keeps names such as `__proto__` as names", () => {
    const { tests } = readPolicyTests(`users: { __proto__: { roles: [a] } }
tools: { constructor: { params: [__proto__] } }
tests:
  - { name: a, user: __proto__, call: constructor, args: { __proto__: { __proto__: 1 } }, expect: deny }
`);
    const [test] = tests;
    expect(test?.user?.id).toBe("__proto__");
    expect(Object.entries(test?.calls[0]?.args[0] ?? {})).toEqual([["__proto__", 1]]);
  });

  it("puts named arguments of a positional tool in their order", () => {
    const { tests } = readPolicyTests(`tools: { t: { params: [a, b, ...more] } }
tests:
  - { name: a, call: t, args: { more: [3, 4], a: 1 }, expect: deny }
  - { name: b, call: t, args: { a: 1 }, expect: deny }
  - { name: c, call: t, args: [1, 2, 3], expect: deny }
`);
    expect(tests.map(({ calls }) => calls[0]?.args)).toEqual([[1, undefined, 3, 4], [1], [1, 2, 3]]);
  });
});

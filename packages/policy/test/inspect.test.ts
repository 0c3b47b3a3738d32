import { readFileSync } from "node:fs";
import { loadPolicy, locateIn, type Marks, readPolicyText } from "d2-policy";
import { describePolicy, descriptionText, matrixOf, matrixText } from "d2-policy/inspect";
import { describe, expect, it } from "vitest";
import { SAMPLE } from "./inspect-sample.js";

const NOW = Date.UTC(2027, 0, 20);
const policy = loadPolicy(SAMPLE, { now: NOW });
const locate = locateIn(readPolicyText(SAMPLE));
const expected = (name: string) => readFileSync(new URL(`./${name}.txt`, import.meta.url), "utf8");

const load = (permission: object, more: object = {}) =>
  loadPolicy({ policies: [{ role: "r", permissions: [permission] }], ...more }, { now: NOW });
const described = (permission: object) => describePolicy(load(permission)).roles[0]?.permissions[0];
const inputWords = (rule: object, path = "x") =>
  described({ tool: "t", conditions: { input: { [path]: rule } } })?.rules[0]?.words;
const outputWords = (rule: object, path = "x") =>
  described({ tool: "t", conditions: { output: { [path]: rule } } })?.rules.at(0)?.words;
const sequenceWords = (sequence: object) => {
  const permissions = ["*"];
  const loaded = loadPolicy({ policies: [{ role: "r", permissions, sequence }] }, { now: NOW });
  return describePolicy(loaded).roles[0]?.sequences.map(({ words }) => words);
};

describe("the printed description", () => {
  it("says in a tree what a policy with everything in it lets whom do", () => {
    expect(descriptionText(describePolicy(policy, { now: NOW }))).toBe(expected("inspect-sample"));
  });

  it("names the place of every rule when it is to be verbose, and roles that are not there", () => {
    const description = describePolicy(policy, { locate, roles: ["clerk", "ghost"] });
    expect(description.unknownRoles).toEqual(["ghost"]);
    expect(descriptionText(description, { verbose: true })).toBe(expected("inspect-verbose"));
  });

  it("says what binds a user with several roles, and which role each rule comes from", () => {
    const description = describePolicy(policy, { userRoles: ["analyst", "intern"] });
    expect(descriptionText(description)).toBe(expected("inspect-user"));
  });

  it("only adds marks around words", () => {
    const set = (name: string) => (text: string) => `<${name}>${text}</>`;
    const marks: Marks = {
      strong: set("strong"),
      good: set("good"),
      bad: set("bad"),
      warn: set("warn"),
      faint: set("faint"),
    };
    const text = descriptionText(describePolicy(load({ tool: "t", allow: false })), { marks });
    expect(text).toContain("<faint>   └─</> <bad>may never call</> `t`, whatever else grants it");
  });

  it("says that a role without permissions may call nothing, and that an empty policy has no roles", () => {
    const text = (policies: object[]) =>
      descriptionText(describePolicy(loadPolicy({ policies }, { now: NOW })));
    expect(text([{ role: "r" }])).toContain("└─ r\n   └─ may call nothing by itself\n");
    expect(text([])).toMatch(/^unnamed sha256:[0-9a-f]{16}\n0 roles, 0 permissions, 0 tools\n$/);
  });
});

describe("the matrix", () => {
  it("prints a line for each tool and a column for each role", () => {
    expect(matrixText(matrixOf(policy))).toBe(expected("inspect-matrix"));
  });

  it("puts roles that do not fit beside one another in further blocks", () => {
    const text = matrixText(matrixOf(policy, { roles: ["clerk", "intern"] }), undefined, { width: 28 });
    expect(text.split("\n\n").map((block) => block.split("\n").slice(0, 2))).toEqual([
      ["               clerk", "database.*     if"],
      ["               intern", "database.*     if"],
      [expect.stringMatching(/^yes: may call/), ""],
    ]);
  });

  it("says so when there is nothing to show", () => {
    expect(matrixText(matrixOf(policy, { roles: ["ghost"] }))).toBe(
      "there is no role that has a permission\n",
    );
  });
});

describe("the data", () => {
  it("is plain, frozen, and has the places of rules where they are known", () => {
    const description = describePolicy(policy, { locate, now: NOW });
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
    expect(Object.isFrozen(description.roles[0]?.permissions[0]?.rules)).toBe(true);
    expect(description.expires).toEqual({ at: "2027-01-31T00:00:00.000Z", daysLeft: 11 });
    expect(description.roles[0]?.permissions[6]).toMatchObject({
      tool: "reports.generate",
      effect: "allow",
      rule: "policies[0].permissions[6]",
      line: 21,
    });
    expect(description.roles[0]?.permissions[1]?.tools).toEqual(["database.read_users", "secrets.get_key"]);
  });

  it("names a permission as a sentence", () => {
    const conditions = {
      input: {
        row_limit: { required: true, min: 1, max: 1000 },
        format: { required: true, in: ["csv", "pdf"] },
      },
    };
    expect(described({ tool: "reports.generate", conditions })?.words).toBe(
      'r may call `reports.generate` when `row_limit` is from 1 to 1000 and `format` is one of "csv" or "pdf"',
    );
  });
});

describe("what an argument must be", () => {
  it.each([
    [{ required: true }, "`x` is given, not as null"],
    [{ required: false }, undefined],
    [{ required: true, type: "string" }, "`x` is given, not as null and is a string"],
    [{ type: ["int", "null"] }, "`x` (if given) is an integer or null"],
    [{ type: "number", gt: 0 }, "`x` (if given) is a number more than 0"],
    [{ min: 1, lt: 5 }, "`x` (if given) is at least 1 and less than 5"],
    [{ min: 3, max: 3 }, "`x` (if given) is exactly 3"],
    [{ type: "str", minLength: 1, maxLength: 9 }, "`x` (if given) is a string of 1 to 9 characters"],
    [{ type: "list", maxLength: 1 }, "`x` (if given) is a list of at most 1 item"],
    [{ minLength: 2 }, "`x` (if given) has a length of at least 2"],
    [{ max_bytes: 1 }, "`x` (if given) takes at most 1 byte"],
    [{ eq: { a: 1 } }, '`x` (if given) is {"a":1}'],
    [{ not_in: ["a", "b"] }, '`x` (if given) is none of "a" or "b"'],
    [{ not_in: [] }, undefined],
    [
      { matches: "a+", not_matches: "b" },
      '`x` (if given) matches "a+" as a whole and is a string in which "b" is not found',
    ],
    [{ contains: "a", not_contains: "b" }, '`x` (if given) contains "a" and does not contain "b"'],
    [{ startsWith: "a", endsWith: "\u202e" }, '`x` (if given) begins with "a" and ends with "\\u202e"'],
  ])("%j", (rule, words) => {
    expect(inputWords(rule)).toBe(words);
  });

  it("counts the rest of a long list", () => {
    const list = Array.from({ length: 25 }, (_, at) => at);
    expect(inputWords({ in: list })).toMatch(/^`x` \(if given\) is one of 0, 1, .*, 19 or 5 more$/);
  });
});

describe("what an action does, and when", () => {
  it.each([
    [{ action: "filter" }, "`x` is removed at every depth"],
    [{ action: "redact", eq: 3 }, "`x` is redacted at every depth when it is 3"],
    [{ action: "redact", ne: 3 }, "`x` is redacted at every depth when it is 3"],
    [{ action: "filter", not_in: [1, 2] }, "`x` is removed at every depth when it is one of 1 or 2"],
    [{ action: "filter", min: 3 }, "`x` is removed at every depth when it is less than 3 or is not a number"],
    [
      { action: "filter", gt: 3, lt: 9 },
      "`x` is removed at every depth when it is at most 3, is not a number or is at least 9",
    ],
    [{ action: "redact", type: "str" }, "`x` is redacted at every depth when it is not a string"],
    [{ action: "redact", required: true }, "`x` is redacted at every depth when it is null"],
    [
      { action: "redact", required: false },
      "the action on `x` never fires, since none of its operators ever says so",
    ],
    [{ action: "redact", matches: "a" }, 'every match of "a" in `x` is redacted at every depth'],
    [{ action: "redact", max_bytes: 9 }, "`x` is redacted at every depth when it takes more than 9 bytes"],
    [
      { action: "filter", not_matches: "a" },
      '`x` is removed at every depth when it has a match of "a" or is not a string',
    ],
    [
      { action: "filter", not_contains: "a" },
      '`x` is removed at every depth when it contains "a" or is neither a string nor a list',
    ],
    [{ action: "truncate", maxLength: 1 }, "`x` is cut to 1 character or item at every depth"],
    [
      { action: "truncate", maxLength: 2, endsWith: "a" },
      '`x` is cut to 2 characters or items at every depth, and so is each string inside a list or mapping there that ends with "a"',
    ],
    [{ action: "deny" }, "the output is refused when `x` is there at any depth"],
    [{ action: "deny", matches: "a" }, 'the output is refused when `x`, at any depth, has a match of "a"'],
  ])("%j", (rule, words) => {
    expect(outputWords(rule)).toBe(words);
  });

  it("says nothing of depth for a longer path, and speaks of the returned value for `$`", () => {
    expect(outputWords({ action: "redact" }, "a.b")).toBe("`a.b` is redacted");
    expect(outputWords({ action: "deny", required: true }, "a.b")).toBe(
      "the output is refused when `a.b` is null, or when `a.b` is missing",
    );
    expect(outputWords({ action: "truncate", maxLength: 5 }, "$")).toBe(
      "the returned value is cut to 5 characters or items",
    );
    expect(outputWords({ action: "deny" }, "$")).toBe("the output is refused whatever it is");
  });
});

describe("sequences", () => {
  it.each([
    [[{ deny: ["a", "b", "@g"] }], ["after `a` and then `b`, every tool of `@g` is denied"]],
    [
      [{ deny: ["db.*", "b"] }, { allow: ["ok", "db.*", "b"] }],
      [
        "after a tool of `db.*`, `b` is denied, unless `ok` ran before that",
        "`ok`, then a tool of `db.*`, then `b` is an exception to what is denied above",
      ],
    ],
    [
      [{ deny: ["*", "b"], reason: "quiet" }, { allow: ["a", "b"] }],
      [
        "after any tool, `b` is denied, unless the calls were `a`, then `b`, each ended before the next began (quiet)",
        "`a`, then `b` is an exception to what is denied above",
      ],
    ],
    [
      [{ allow: ["a", "b"] }],
      ["`a`, then `b` is listed, and changes nothing: no deny pattern of the role can be excused by it"],
    ],
    [
      { mode: "deny", rules: [{ allow: ["a", "b"] }, { allow: ["@g"] }] },
      [
        "`a` as the first call of the session, and `b` at any time after `a`",
        "every tool of `@g` at any time",
      ],
    ],
  ])("%j", (sequence, words) => {
    const metadata = { tool_groups: { g: ["x"] } };
    const permissions = ["*"];
    const loaded = loadPolicy({ metadata, policies: [{ role: "r", permissions, sequence }] }, { now: NOW });
    expect(describePolicy(loaded).roles[0]?.sequences.map((rule) => rule.words)).toEqual(words);
  });

  it("takes an allow pattern with two places for the first step as a whole", () => {
    expect(sequenceWords([{ deny: ["a", "b"] }, { allow: ["a", "x", "a", "b"] }])?.[0]).toBe(
      "after `a`, `b` is denied, unless the calls were `a`, then `x`, then `a`, then `b`, each ended before the next began",
    );
  });
});

describe("labels", () => {
  it("are told from both sides", () => {
    const data_flow = { labels: { "a.*": ["L", "M"], b: "L" }, blocks: { L: "c", N: ["d.*", "e"] } };
    const loaded = loadPolicy({ metadata: { data_flow }, policies: [] }, { now: NOW });
    expect(describePolicy(loaded).labels.map(({ words }) => words)).toEqual([
      "a call to a tool of `a.*` or `b` marks the session `L`; then `c` is denied",
      "a call to a tool of `a.*` marks the session `M`, which denies nothing",
      "once the program marks the session `N`, `e` and every `d.*` tool are denied",
    ]);
  });
});

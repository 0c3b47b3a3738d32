import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { loadPolicy } from "../src/load-policy.js";
import { locateIn } from "../src/locate.js";
import type { Marks } from "../src/marks.js";
import { readPolicyText } from "../src/policy-text.js";
import { junitReport, prettyReport, readPolicyTests, runPolicyTests, tapReport } from "../src/testing.js";

const policyText = `policies:
  - role: clerk
    permissions: [db.read, mail.send]
    sequence:
      - deny: [db.read, mail.send]
        reason: customers stay inside
`;
const policy = loadPolicy(policyText, { now: 0 });

const good = readPolicyTests(
  `tests:
  - { name: nobody reads, call: db.read, expect: { reason: no_context } }
`,
  { file: "good.test.yaml" },
);
const bad = readPolicyTests(
  `users: { ann: { roles: [clerk] } }
tests:
  - name: mail is fine
    user: ann
    call: mail.send
    expect: allow
  - name: mail after reading is fine
    user: ann
    history: [db.read]
    call: mail.send
    expect: allow
  - name: what cannot be
    user: ann
    history: [db.write]
    call: mail.send
    expect: deny
`,
  { file: "bad.test.yaml" },
);
const run = runPolicyTests(policy, [good, bad], {
  policyFile: "policy.yaml",
  locate: locateIn(readPolicyText(policyText)),
});

const marks: Marks = {
  strong: (text) => `*${text}*`,
  good: (text) => `+${text}+`,
  bad: (text) => `-${text}-`,
  warn: (text) => `?${text}?`,
  faint: (text) => `(${text})`,
};

describe("the report for people", () => {
  it("has a line for every test, and says why one does not hold", () => {
    expect(prettyReport(run)).toBe(`good.test.yaml
  pass   nobody reads

bad.test.yaml
  pass   mail is fine
  FAIL   mail after reading is fine
           decision: expected allow, got deny
           \`mail.send\` is decided deny, sequence_violation, by \`policies[0].sequence[0]\` at policy.yaml:5:9
           at bad.test.yaml:7:5
  ERROR  what cannot be
           the history is not possible: call 1 of the history, \`db.write\`, is denied (missing_policy): mend it, or write \`assume: true\` to take it for given
           at bad.test.yaml:14:15

note   no permission of the policy names \`db.write\`: expect the reason \`missing_policy\` if that is meant (bad.test.yaml:12:5)

4 tests: 2 passed, 1 failed, 1 error
`);
  });

  it("marks its parts", () => {
    const lines = prettyReport(run, marks).split("\n");
    expect([lines[0], lines[1], lines[5], lines[8], lines.at(-2)]).toEqual([
      "*good.test.yaml*",
      "  +pass+   nobody reads",
      "  -FAIL-   mail after reading is fine",
      "           (at bad.test.yaml:7:5)",
      "4 tests: +2 passed+, -1 failed-, -1 error-",
    ]);
  });

  it("of several runs counts them together, and says what was left out", () => {
    const some = runPolicyTests(policy, good, { filter: "nothing" });
    expect(prettyReport([some, runPolicyTests(policy, good)])).toBe(`good.test.yaml

good.test.yaml
  pass   nobody reads

1 test: 1 passed, 1 left out
`);
  });
});

describe("the JUnit report", () => {
  it("has a suite a file and an element for what does not hold", () => {
    expect(junitReport(run)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="d2 test" tests="4" failures="1" errors="1" skipped="0">
  <testsuite name="good.test.yaml" tests="1" failures="0" errors="0" skipped="0">
    <testcase name="nobody reads" classname="good.test.yaml" file="good.test.yaml" line="2"/>
  </testsuite>
  <testsuite name="bad.test.yaml" tests="3" failures="1" errors="1" skipped="0">
    <testcase name="mail is fine" classname="bad.test.yaml" file="bad.test.yaml" line="3"/>
    <testcase name="mail after reading is fine" classname="bad.test.yaml" file="bad.test.yaml" line="7">
      <failure message="decision: expected allow, got deny" type="sequence_violation">decision: expected allow, got deny
\`mail.send\` is decided deny, sequence_violation, by \`policies[0].sequence[0]\` at policy.yaml:5:9
at bad.test.yaml:7:5</failure>
    </testcase>
    <testcase name="what cannot be" classname="bad.test.yaml" file="bad.test.yaml" line="12">
      <error message="the history is not possible: call 1 of the history, \`db.write\`, is denied (missing_policy): mend it, or write \`assume: true\` to take it for given" type="missing_policy">the history is not possible: call 1 of the history, \`db.write\`, is denied (missing_policy): mend it, or write \`assume: true\` to take it for given
at bad.test.yaml:14:15</error>
    </testcase>
  </testsuite>
</testsuites>
`);
  });
});

describe("the TAP report", () => {
  it("has a point for every test, and YAML on those that do not hold", () => {
    expect(tapReport(run)).toBe(`TAP version 14
1..4
ok 1 - nobody reads
ok 2 - mail is fine
not ok 3 - mail after reading is fine
  ---
  severity: "fail"
  message: "decision: expected allow, got deny\\n\`mail.send\` is decided deny, sequence_violation, by \`policies[0].sequence[0]\` at policy.yaml:5:9"
  at: {"file":"bad.test.yaml","line":7,"column":5}
  call: "mail.send"
  expected: {"decision":"allow"}
  actual: {"decision":"deny","reason":"sequence_violation","layer":"sequence","rule":"policies[0].sequence[0]","line":5,"column":9,"detail":"customers stay inside","violations":[]}
  ...
not ok 4 - what cannot be
  ---
  severity: "error"
  message: "the history is not possible: call 1 of the history, \`db.write\`, is denied (missing_policy): mend it, or write \`assume: true\` to take it for given"
  at: {"file":"bad.test.yaml","line":12,"column":5}
  call: "db.write"
  expected: {"decision":"allow"}
  actual: {"decision":"deny","reason":"missing_policy","layer":"permission","violations":[]}
  ...
`);
  });

  it("writes diagnostics that are YAML", () => {
    const [, diagnostics = ""] = /\n {2}---\n([\s\S]*?)\n {2}\.\.\./.exec(tapReport(run)) ?? [];
    expect(parseYaml(diagnostics)).toMatchObject({ severity: "fail", at: { line: 7 }, call: "mail.send" });
  });
});

describe("reports of odd names", () => {
  const odd = [
    `<a> & "b" 'c' ]]>`,
    "# SKIP \\ this # TODO",
    "two\nlines\tand\u0000 a \u001b[31mred\u001b[0m zero",
    "\u202eright to left\u2066",
    "\ud83d\ude00 and half \ud83d \uffff \ufffe",
    "\u0085 \u2028 \u007f",
    "&#0; &lt;",
  ];
  const tests = readPolicyTests(
    JSON.stringify({
      tests: odd
        .filter((name) => !/\p{Cs}/u.test(name))
        .map((name) => ({ name, call: "t", expect: "allow" })),
    }),
    { file: `o<&"'\u0007.yaml` },
  );
  const half = { ...tests, tests: odd.map((name) => ({ ...tests.tests[0], name })) } as typeof tests;
  const oddRun = runPolicyTests(policy, half);

  it("are well-formed XML, whose parser reads the names back as far as XML can say them", () => {
    const xml = junitReport(oddRun);
    expect(xml).not.toMatch(/[^\P{Cc}\n]|\p{Cs}|\p{Noncharacter_Code_Point}/u);
    expect(xml).not.toMatch(/&(?!(?:amp|lt|gt|quot|apos|#\d+);)/);
    expect(elementsOf(xml)).toEqual({ names: odd.map(sayable), open: [] });
  });

  it("are one line each in TAP, without directives", () => {
    const points = tapReport(oddRun)
      .split("\n")
      .filter((line) => /^(not )?ok/.test(line));
    expect(points).toHaveLength(odd.length);
    expect(points[1]).toBe("not ok 2 - \\# SKIP \\\\ this \\# TODO");
    expect(points[2]).toBe(
      "not ok 3 - two<U+000A>lines<U+0009>and<U+0000> a <U+001B>[31mred<U+001B>[0m zero",
    );
  });

  it("hold nothing that a terminal would obey", () => {
    const printed = prettyReport(oddRun);
    expect(printed).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
    expect(printed).toContain("  FAIL   <U+202E>right to left<U+2066>\n");
  });
});

/** A name as XML 1.0 can say it. */
function sayable(name: string): string {
  return name.replace(
    /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu,
    (point) => `<U+${(point.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}>`,
  );
}

/** Reads XML strictly: the names of the test cases, and the elements that are never closed. */
function elementsOf(xml: string): { names: string[]; open: string[] } {
  const open: string[] = [];
  const names: string[] = [];
  let at = xml.indexOf("?>") + 2;
  const token = /\s*<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>|[^<]+/y;
  while (at < xml.length) {
    token.lastIndex = at;
    const found = token.exec(xml);
    if (found === null) throw new Error(`not well-formed at ${at}: ${xml.slice(at, at + 40)}`);
    at = token.lastIndex;
    const [, closing, name, attributes = "", empty] = found;
    if (name === undefined) continue;
    if (closing === "/") {
      if (open.pop() !== name) throw new Error(`\`${name}\` closes something else`);
      continue;
    }
    if (empty !== "/") open.push(name);
    const value = / name="([^"]*)"/.exec(attributes)?.[1];
    if (name === "testcase" && value !== undefined) names.push(unescaped(value));
  }
  return { names, open };
}

function unescaped(text: string): string {
  const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replace(/&(?:#(\d+)|([a-z]+));/g, (_, code: string | undefined, name: string) =>
    code === undefined ? (named[name] ?? "") : String.fromCodePoint(Number(code)),
  );
}

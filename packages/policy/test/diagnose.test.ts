import { readFileSync } from "node:fs";
import { loadPolicy, type Marks } from "d2-policy";
import { type DiagnoseOptions, diagnosePolicy, diagnosisText, type FoundTool } from "d2-policy/diagnose";
import { describe, expect, it } from "vitest";
import { CODE, IDLE } from "./diagnose-sample.js";
import { SAMPLE } from "./inspect-sample.js";

const NOW = Date.UTC(2027, 0, 20);
const expected = (name: string) => readFileSync(new URL(`./${name}.txt`, import.meta.url), "utf8");
const diagnose = (text: string, options: Partial<DiagnoseOptions> = {}) =>
  diagnosePolicy(text, { now: NOW, ...options });
const codes = (text: string, options: Partial<DiagnoseOptions> = {}) =>
  diagnose(text, options).diagnostics.map(({ code }) => code);

describe("the printed diagnosis", () => {
  it("shows all that can never apply, and what the program says differently", () => {
    const diagnosis = diagnose(IDLE, { file: "policy.yaml", code: CODE });
    expect(diagnosisText(diagnosis, { text: IDLE })).toBe(expected("diagnose-idle"));
  });

  it("puts each action rule of a policy into words, with its place", () => {
    const diagnosis = diagnose(SAMPLE, { file: "policy.yaml" });
    expect(diagnosisText(diagnosis, { text: SAMPLE })).toBe(expected("diagnose-sample"));
  });

  it("shows the lines of the program where they are given", () => {
    const text = "policies: [{role: r, permissions: [reports.make]}]\n";
    const tool: FoundTool = { ...found("reports.mkae"), line: 2, column: 7 };
    const diagnosis = diagnose(text, { code: { tools: [tool], dynamic: [], scanned: 1 } });
    const printed = diagnosisText(diagnosis, {
      codeText: (file) => (file === "src/app.ts" ? 'x;\nguard("reports.mkae")(f);\n' : undefined),
    });
    expect(printed).toContain(' --> src/app.ts:2:7\n  |\n2 | guard("reports.mkae")(f);\n  |       ^');
  });

  it("only adds marks around words", () => {
    const marks: Marks = {
      strong: (text) => `<${text}>`,
      good: (text) => `+${text}+`,
      bad: (text) => `!${text}!`,
      warn: (text) => `?${text}?`,
      faint: (text) => text,
    };
    expect(diagnosisText(diagnose("policies: []"), { marks })).toBe(
      "<limits>\n  size     12 of 8388608 bytes\n  tools    0 of 10000\n\n+no errors, no warnings+\n",
    );
    expect(diagnosisText(diagnose("policies: 3"), { marks })).toMatch(/!1 error, 0 warnings!\n$/);
    expect(diagnosisText(diagnose("policies: 3"), { color: true })).toContain("\u001b[1;31merror");
  });
});

describe("what would keep a policy from loading", () => {
  it("is listed with everything else, errors and warnings by their places", () => {
    const text = [
      "metadata: { expires: 2020-01-01 }",
      "policies:",
      "  - role: r",
      "    permissions: [{ tool: t, conditions: { input: { a: { minimum: 1 }, b: {} } } }]",
      "    mode: deny",
    ].join("\n");
    const { ok, errors, warnings, diagnostics, actions, limits } = diagnose(text, { file: "p.yaml" });
    expect({ ok, errors, warnings, actions }).toEqual({ ok: false, errors: 3, warnings: 1, actions: [] });
    expect(diagnostics.map(({ file, line, code }) => [file, line, code])).toEqual([
      ["p.yaml", 1, "expired"],
      ["p.yaml", 4, "unknown_operator"],
      ["p.yaml", 4, "empty_rule"],
      ["p.yaml", 5, "unknown_key"],
    ]);
    expect(limits.expires).toEqual({ at: "2020-01-01T00:00:00.000Z", daysLeft: -2576 });
  });

  it.each(["", "policies: [", "\u0000", "- a\n- b", "a: &a [*a]", "null", "{policies: [{role: [}]}"])(
    "is an error and never thrown: %j",
    (text) => {
      const diagnosis = diagnose(text);
      expect(diagnosis.ok).toBe(false);
      expect(diagnosis.errors).toBeGreaterThan(0);
      expect(diagnosisText(diagnosis, { text })).toMatch(/\d+ errors?, \d+ warnings?\n$/);
    },
  );

  it("is a text beyond the limit, which is not even read", () => {
    const diagnosis = diagnose("policies: [", { limits: { maxBundleBytes: 10 }, file: "p.yaml" });
    expect(diagnosis.diagnostics).toEqual([
      {
        severity: "error",
        code: "policy_too_large",
        message:
          "the policy is larger than 10 bytes and was not read: split it up, or raise `maxBundleBytes`",
        file: "p.yaml",
        path: "",
        documentPath: [],
      },
    ]);
    expect(diagnosisText(diagnosis)).toContain("  size     more than 10 bytes, which is the most\n");
  });

  it("is more tools than there may be", () => {
    const text = "policies: [{role: r, permissions: [a, b, c.*]}]";
    expect(codes(text, { limits: { maxTools: 3 } })).toEqual([]);
    const { ok, diagnostics, limits } = diagnose(text, { limits: { maxTools: 2 } });
    expect(ok).toBe(false);
    expect(diagnostics).toMatchObject([{ code: "too_many_tools", line: 1, column: 1 }]);
    expect(limits.tools).toEqual({ used: 3, max: 2 });
  });

  it("is an `expires` in the past, or one that cannot be read; one within 14 days is warned of", () => {
    const day = 24 * 60 * 60 * 1000;
    const at = (offset: number) =>
      `metadata: {expires: ${new Date(NOW + offset).toISOString()}}\npolicies: []\n`;
    const found = (text: string) => diagnose(text).diagnostics.map(({ code, severity }) => [code, severity]);
    expect(found(at(0))).toEqual([["expired", "error"]]);
    expect(found(at(1))).toEqual([["expires_soon", "warning"]]);
    expect(found(at(14 * day))).toEqual([["expires_soon", "warning"]]);
    expect(found(at(14 * day + 1))).toEqual([]);
    expect(found("metadata: {expires: soon}\npolicies: []\n")).toEqual([["expired", "error"]]);
    expect(diagnose(at(1)).diagnostics[0]?.message).toContain("expires in less than a day");
  });

  it("is YAML where JSON was asked for", () => {
    expect(codes("policies: []", { format: "json" })).toEqual(["not_json"]);
  });

  it("is the same as loading finds", () => {
    for (const text of ["policies: []", SAMPLE, IDLE]) {
      const loaded = loadPolicy(text, { now: NOW }).warnings;
      const { diagnostics } = diagnose(text);
      expect(diagnostics).toEqual(expect.arrayContaining([...loaded]));
    }
  });
});

function found(tool: string, more: Partial<FoundTool> = {}): FoundTool {
  const place = { file: "src/app.ts", line: 1, column: 1 };
  return { tool, ...place, kind: "function", params: undefined, argument: "unknown", ...more };
}

describe("the program", () => {
  const text = (permission: string) => `policies: [{role: r, permissions: [${permission}]}]`;
  const check = (permission: string, tools: FoundTool[], dynamic = 0) => {
    const guard = { file: "src/dyn.ts", line: 4, column: 2 };
    const code = { tools, dynamic: Array.from({ length: dynamic }, () => guard), scanned: 7 };
    const { diagnostics, codeDiagnostics } = diagnose(text(permission), { code });
    return [...diagnostics, ...codeDiagnostics].map(({ message }) => message);
  };

  it("may guard what a prefix, a group or a denial is about, and is told nothing", () => {
    expect(check("a.*, {tool: b, allow: false}", [found("a.x"), found("b")])).toEqual([]);
  });

  it("is told of each place where a tool is guarded that no permission is about", () => {
    const tools = [found("zz", { line: 9 }), found("zz", { line: 2 }), found("a")];
    const code = { tools, dynamic: [], scanned: 1 };
    const { codeDiagnostics } = diagnose(text("a"), { code });
    expect(codeDiagnostics).toEqual(
      [2, 9].map((line) => ({
        severity: "warning",
        code: "tool_not_in_policy",
        message:
          "no permission is about `zz`, so every call of it is denied (`missing_policy`): grant it to a role",
        file: "src/app.ts",
        line,
        column: 1,
        path: "",
        documentPath: [],
      })),
    );
  });

  it("is looked through once for a tool that the policy names several times", () => {
    expect(check("a, b, {tool: b, conditions: {output: {x: {eq: 1}}}}", [found("a")])).toEqual([
      "`b` is guarded nowhere in the 7 files that were looked at",
    ]);
  });

  it("may guard a tool whose id is not known", () => {
    expect(check("a, bbbb", [found("a")], 2)).toEqual([
      "`bbbb` is guarded nowhere in the 7 files that were looked at; one of the 2 guards whose ids are worked out at run time may be for it, such as at src/dyn.ts:4:2",
    ]);
  });

  it("is not compared tool by tool when no guard was found at all, nor when no file was looked at", () => {
    expect(check("a, b", [])).toEqual([
      "no guarded tool was found in 7 files, so the policy could not be compared with the program",
    ]);
    expect(codes(text("a, b"), { code: { tools: [], dynamic: [], scanned: 0 } })).toEqual([]);
  });

  const ruled = (tool: string, rule: string) => `{tool: "${tool}", conditions: {input: {limit: {${rule}}}}}`;
  const closed = { params: ["limt"], closed: true } as const;

  it.each([
    ["a.b", "min: 1", "positional", "so every call is denied: did you mean `limt`?"],
    ["a.b", "min: 1", "object", "so the rule never applies: did you mean `limt`?"],
    ["a.b", "required: true", "object", "so every call is denied: did you mean `limt`?"],
    ["a.*", "required: true", "positional", "so the rule never applies: did you mean `limt`?"],
  ] as const)("lacks the argument of a rule on `%s` {%s}, taken as %s: %s", (tool, rule, argument, end) => {
    expect(check(ruled(tool, rule), [found("a.b", { ...closed, argument })])).toEqual([
      `\`a.b\` at src/app.ts:1:1 takes only \`limt\`, not \`limit\`, ${end}`,
    ]);
  });

  it("lacks every argument where the function takes none", () => {
    expect(check(ruled("a.b", "min: 1"), [found("a.b", { argument: "none" })])).toEqual([
      "`a.b` at src/app.ts:1:1 takes no arguments, not `limit`, so the rule never applies",
    ]);
  });

  it("is given the benefit of the doubt where not all names are known", () => {
    expect(check(ruled("a.b", "min: 1"), [found("a.b", { params: ["x"], argument: "object" })])).toEqual([]);
    expect(check(ruled("a.b", "min: 1"), [found("a.b", { argument: "positional", closed: true })])).toEqual(
      [],
    );
    const some = [found("a.b", { ...closed, argument: "object" }), found("a.c")];
    expect(check(ruled("a.*", "min: 1"), some)).toEqual([]);
  });

  it("has an argument whose name has dots, or into which the path leads", () => {
    const permission = '{tool: t, conditions: {input: {"a.b.c": {min: 1}}}}';
    for (const name of ["a", "a.b", "a.b.c"]) {
      const tool = found("t", { params: [name], argument: "object", closed: true });
      expect(check(permission, [tool])).toEqual([]);
    }
  });
});

describe("the data", () => {
  it("is plain and frozen", () => {
    const diagnosis = diagnose(IDLE, { file: "policy.yaml", code: CODE });
    expect(JSON.parse(JSON.stringify(diagnosis))).toEqual(diagnosis);
    expect(Object.isFrozen(diagnosis.diagnostics[0])).toBe(true);
    expect(diagnosis.code).toEqual({ scanned: 3, tools: 3, dynamic: 1 });
    expect(diagnosis.actions[1]).toEqual({
      rule: 'policies[0].permissions[0].conditions.output["user.secret"]',
      line: 18,
      column: 13,
      tool: "a",
      roles: ["r"],
      words: "`user.secret` is redacted",
    });
  });
});

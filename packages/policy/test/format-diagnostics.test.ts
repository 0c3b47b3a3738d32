import { ConfigurationError, type Diagnostic } from "d2-core";
import { describe, expect, it } from "vitest";
import { formatDiagnostics, loadPolicy } from "../src/index.js";

function diagnosticsOf(text: string, file?: string): readonly Diagnostic[] {
  try {
    return loadPolicy(text, { now: 0, file }).warnings;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.diagnostics;
    throw error;
  }
}

function print(text: string, options: { file?: string; color?: boolean } = {}): string {
  return formatDiagnostics(diagnosticsOf(text), { text, ...options });
}

describe("printed diagnostics", () => {
  it("show message, place, source line, carets and help", () => {
    const text = [
      "policies:",
      "  - role: analyst",
      "    permissions:",
      "      - tool: reports.generate",
      "        conditions:",
      "          input:",
      "            limit: { type: int, minimum: 1 }",
      "            table: sales",
      "",
    ].join("\n");
    expect(print(text, { file: "policy.yaml" })).toBe(
      [
        "error[unknown_operator]: `minimum` is not an operator: did you mean `min`?",
        " --> policy.yaml:7:33",
        "  |",
        "7 |             limit: { type: int, minimum: 1 }",
        "  |                                 ^^^^^^^ help: write `min`",
        "  = at policies[0].permissions[0].conditions.input.limit.minimum",
        "",
        "error[wrong_type]: the rule on `table` must be a mapping, not the string `sales`: write an operator, such as `{eq: …}`",
        " --> policy.yaml:8:20",
        "  |",
        "8 |             table: sales",
        "  |                    ^^^^^",
        "  = at policies[0].permissions[0].conditions.input.table",
      ].join("\n"),
    );
  });

  it("line up under line numbers of several digits", () => {
    const text = `${"\n".repeat(99)}policies: 5\n`;
    expect(print(text).split("\n").slice(1, 5)).toEqual([
      "   --> 100:11",
      "    |",
      "100 | policies: 5",
      "    |           ^",
    ]);
  });

  it("underline what goes on over several lines to the end of the first", () => {
    const text = "policies:\n  - permissions:\n      - t\n";
    expect(print(text)).toContain("2 |   - permissions:\n  |     ^^^^^^^^^^^^\n");
  });

  it("count columns in characters and place carets under wide ones", () => {
    const text = 'metadata: {description: "日本😀"}\nx: 1\npolicies: [ {role: "日本", 役: 1} ]\n';
    expect(diagnosticsOf(text).map(({ line, column, endColumn }) => [line, column, endColumn])).toEqual([
      [2, 1, 2],
      [3, 26, 27],
    ]);
    expect(print(text)).toContain('policies: [ {role: "日本", 役: 1} ]\n  |                            ^^');
  });

  it("show tabs as blanks, and let through nothing that a terminal would obey", () => {
    const text = '{\n\t"policies": [{"role": "\u202eadmin\u001b[31m"}]\n}\n';
    const printed = print(text);
    expect(printed).toContain('2 |     "policies": [{"role": "<U+202E>admin<U+001B>[31m"}]');
    for (const hidden of ["\u202e", "\u001b", "\t"]) expect(printed).not.toContain(hidden);
  });

  it("cut a line that is too long around the place", () => {
    const text = `{"metadata": {"description": "${"x".repeat(1_000_000)}"}, "polices": [], "more": "${"y".repeat(1000)}"}`;
    const printed = formatDiagnostics(diagnosticsOf(text).slice(0, 2), { text });
    const lines = printed.split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(200);
    const caret = lines.findIndex((line) => line.includes("^^^^^^^^^ help: write `policies`"));
    const column = lines[caret]?.indexOf("^") ?? -1;
    expect(lines[caret - 1]?.slice(column, column + 9)).toBe('"polices"');
  });

  it("name the path alone for a policy without a text", () => {
    try {
      loadPolicy({ polices: [], policies: [] }, { now: 0 });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError);
      expect(formatDiagnostics((error as ConfigurationError).diagnostics)).toBe(
        [
          "error[unknown_key]: `polices` is not a key of a policy: did you mean `policies`?",
          "  = help: write `policies`",
          "  = at polices",
        ].join("\n"),
      );
    }
  });

  it("have colours only when asked", () => {
    const text = "policies: 5\n";
    expect(print(text)).not.toContain("\u001b");
    expect(print(text, { color: true })).toContain("\u001b[1;31merror[wrong_type]\u001b[0m");
  });

  it("skip a byte order mark, as reading does", () => {
    expect(print("\ufeffpolicies: 5\n")).toContain("1 | policies: 5\n  |           ^");
  });
});

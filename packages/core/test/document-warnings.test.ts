import { describe, expect, it } from "vitest";
import { checkDocument } from "../src/document/check-document.js";
import { formatDocumentPath } from "../src/document/fault.js";

function warningsOf(policy: unknown): readonly string[] {
  const { document, faults } = checkDocument(policy);
  expect(document).toBeDefined();
  return faults.map((fault) => `${fault.severity} ${fault.code} ${formatDocumentPath(fault.path)}`);
}

function withFlow(labels: unknown, blocks: unknown): unknown {
  return { metadata: { tool_groups: { g: ["a.x", "b"] }, data_flow: { labels, blocks } }, policies: [] };
}

function withRule(rule: unknown, permissions: unknown = ["*"]): unknown {
  return {
    metadata: { tool_groups: { g: ["a", "b"] } },
    policies: [{ role: "r", permissions, sequence: [rule] }],
  };
}

function withOutput(output: unknown): unknown {
  return { policies: [{ role: "r", permissions: [{ tool: "t", conditions: { output } }] }] };
}

describe("checking warns of", () => {
  it("a blocked label that no tool emits", () => {
    expect(warningsOf(withFlow({ t: ["L"] }, { M: ["u"], L: ["u"] }))).toEqual([
      "warning label_never_emitted metadata.data_flow.blocks.M",
    ]);
  });

  it.each([
    ["itself", { t: ["L"] }, { L: ["t"] }],
    ["its prefix", { "a.x": ["L"] }, { L: ["a.*"] }],
    ["a group it is in", { b: ["L"] }, { L: ["@g"] }],
    ["everything", { t: ["L"] }, { L: ["*"] }],
    ["a tool of the group that emits it", { "@g": ["L"] }, { L: ["a.x"] }],
  ])("a tool whose label blocks %s", (_name, labels, blocks) => {
    expect(warningsOf(withFlow(labels, blocks)).map((text) => text.split(" ")[1])).toEqual([
      "self_blocking_label",
    ]);
  });

  it("nothing where labels block other tools", () => {
    expect(warningsOf(withFlow({ "@g": ["L"], t: ["M"] }, { L: ["t", "c.*"], M: ["@g"] }))).toEqual([]);
  });

  it("a step that no permission of the role grants", () => {
    expect(warningsOf(withRule({ deny: ["a", "nobody"] }, ["a"]))).toEqual([
      "warning step_not_granted policies[0].sequence[0].deny[1]",
    ]);
    expect(warningsOf(withRule({ deny: ["a", "c"] }, ["a", { tool: "c", allow: false }]))).toEqual([
      "warning step_not_granted policies[0].sequence[0].deny[1]",
    ]);
  });

  it("no step that any entry of the role grants, by id, prefix, group or `*`", () => {
    expect(warningsOf(withRule({ deny: ["@g", "c.d", "e"] }, ["b", "c.*", "e"]))).toEqual([]);
    expect(warningsOf(withRule({ deny: ["a", "z"] }, ["*"]))).toEqual([]);
    expect(
      warningsOf({
        policies: [
          { role: "r", sequence: [{ deny: ["a", "b"] }] },
          { role: ["q", "r"], permissions: ["a", "b"] },
        ],
      }),
    ).toEqual([]);
  });

  it("a step that one of several roles lacks", () => {
    const policy = {
      policies: [
        { role: ["r", "s"], permissions: ["a"], sequence: [{ deny: ["a", "b"] }] },
        { role: "r", permissions: ["b"] },
      ],
    };
    expect(warningsOf(policy)).toEqual(["warning step_not_granted policies[0].sequence[0].deny[1]"]);
    expect(checkDocument(policy).faults[0]?.message).toContain("`s`");
  });

  it("a tool that fills two adjacent steps of a deny pattern", () => {
    expect(warningsOf(withRule({ deny: ["@g", "b"] }))).toEqual([
      "warning self_adjacent_step policies[0].sequence[0].deny[1]",
    ]);
    expect(warningsOf(withRule({ deny: ["a", "c", "a"] }))).toEqual([]);
    expect(warningsOf(withRule({ allow: ["a", "a"] }))).toEqual([]);
  });

  it("an action whose operators fire on what they name", () => {
    const warnings = checkDocument(
      withOutput({ x: { in: ["a"], action: "redact" }, y: { eq: 1, action: "deny" } }),
    ).faults;
    expect(warnings.map(({ code, suggestion }) => `${code} ${suggestion}`)).toEqual([
      "action_reads_backwards not_in",
      "action_reads_backwards ne",
    ]);
    expect(warningsOf(withOutput({ x: { in: ["a"] }, y: { min: 1, action: "deny" } }))).toEqual([]);
  });

  it("conditions on a denial, a rule without operators, and a path that begins with `$.`", () => {
    expect(
      warningsOf({ policies: [{ role: "r", permissions: [{ tool: "t", allow: false, conditions: {} }] }] }),
    ).toEqual(["warning conditions_on_denial policies[0].permissions[0].conditions"]);
    expect(warningsOf(withOutput({ x: {} }))).toEqual([
      "warning empty_rule policies[0].permissions[0].conditions.output.x",
    ]);
    expect(warningsOf(withOutput({ "$.a": { min: 1 } }))).toEqual([
      'warning root_in_path policies[0].permissions[0].conditions.output["$.a"]',
    ]);
  });
});

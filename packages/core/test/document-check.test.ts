import { describe, expect, it } from "vitest";
import { checkDocument } from "../src/document/check-document.js";
import { formatDocumentPath } from "../src/document/fault.js";

/** Faults as `code path suggestion`, for short tables. */
function faultsOf(policy: unknown, severity: "error" | "warning" = "error"): readonly string[] {
  return checkDocument(policy)
    .faults.filter((fault) => fault.severity === severity)
    .map((fault) =>
      [fault.code, formatDocumentPath(fault.path), fault.suggestion]
        .filter((part) => part !== undefined)
        .join(" "),
    );
}

const entry = (fields: object) => ({ policies: [{ role: "r", ...fields }] });
const permission = (fields: unknown) => entry({ permissions: [fields] });
const input = (rule: unknown) => permission({ tool: "t", conditions: { input: { x: rule } } });
const output = (rules: unknown) => permission({ tool: "t", conditions: { output: rules } });
const rule = (fields: unknown) => entry({ permissions: ["t", "u"], sequence: [fields] });

const P = "policies[0].permissions[0]";
const IN = `${P}.conditions.input.x`;
const OUT = `${P}.conditions.output`;
const SEQ = "policies[0].sequence";

describe("checking refuses", () => {
  it.each<[string, unknown, string[]]>([
    ["a policy that is no mapping", [], ["wrong_type "]],
    ["an unknown top-level key", { policies: [], polices: [] }, ["unknown_key polices policies"]],
    ["an unknown version", { version: 2, policies: [] }, ["unknown_version version 1"]],
    ["a version in quotes", { version: "1", policies: [] }, ["unknown_version version 1"]],
    ["missing policies", {}, ["missing_key "]],
    ["policies that are no list", { policies: {} }, ["wrong_type policies"]],
    [
      "unknown metadata",
      { metadata: { expiry: "x" }, policies: [] },
      ["unknown_key metadata.expiry expires"],
    ],
    ["a name that is no string", { metadata: { name: 5 }, policies: [] }, ['wrong_type metadata.name "5"']],
    ["an empty name", { metadata: { name: "" }, policies: [] }, ["bad_name metadata.name"]],
    ["a long name", { metadata: { name: "n".repeat(257) }, policies: [] }, ["bad_name metadata.name"]],
    [
      "a description that is no string",
      { metadata: { description: [] }, policies: [] },
      ["wrong_type metadata.description"],
    ],
    [
      "a group name with @",
      { metadata: { tool_groups: { "@g": ["t"] } }, policies: [] },
      ['bad_name metadata.tool_groups["@g"] g'],
    ],
    [
      "a group in a group",
      { metadata: { tool_groups: { g: ["@h"], h: ["t"] } }, policies: [] },
      ["group_in_group metadata.tool_groups.g[0]"],
    ],
    [
      "a group that is no list",
      { metadata: { tool_groups: { g: { t: 1 } } }, policies: [] },
      ["wrong_type metadata.tool_groups.g"],
    ],
    [
      "a `*` inside a group's tool",
      { metadata: { tool_groups: { g: ["a.*.b"] } }, policies: [] },
      ["bad_tool metadata.tool_groups.g[0]"],
    ],
    [
      "unknown keys of data_flow",
      { metadata: { data_flow: { block: {} } }, policies: [] },
      ["unknown_key metadata.data_flow.block blocks"],
    ],
    [
      "a label that is no string",
      { metadata: { data_flow: { labels: { t: [7] } } }, policies: [] },
      ['wrong_type metadata.data_flow.labels.t[0] "7"'],
    ],
    [
      "an undefined group in labels",
      { metadata: { data_flow: { labels: { "@g": ["L"] } } }, policies: [] },
      ['unknown_group metadata.data_flow.labels["@g"]'],
    ],
    [
      "an undefined group in blocks",
      { metadata: { data_flow: { blocks: { L: "@g" } } }, policies: [] },
      ["unknown_group metadata.data_flow.blocks.L"],
    ],
    ["an entry that is no mapping", { policies: ["r"] }, ["wrong_type policies[0]"]],
    [
      "an unknown key of an entry",
      entry({ permission: [] }),
      ["unknown_key policies[0].permission permissions"],
    ],
    ["an entry without role", { policies: [{ permissions: [] }] }, ["missing_key policies[0]"]],
    ["a misspelt role once", { policies: [{ rol: "r" }] }, ["unknown_key policies[0].rol role"]],
    [
      "role and roles together",
      { policies: [{ role: "a", roles: ["b"] }] },
      ["conflicting_keys policies[0].roles"],
    ],
    ["an empty role list", { policies: [{ role: [] }] }, ["empty_list policies[0].role"]],
    ["a role named `*`", { policies: [{ role: "*" }] }, ["bad_role policies[0].role"]],
    [
      "a role that is no string",
      { policies: [{ roles: ["a", 7] }] },
      ['wrong_type policies[0].roles[1] "7"'],
    ],
    [
      "a role with an invisible character",
      { policies: [{ role: "ad\u200bmin" }] },
      ["bad_role policies[0].role"],
    ],
    ["permissions that are no list", entry({ permissions: 5 }), ["wrong_type policies[0].permissions"]],
    ["empty permissions as null", entry({ permissions: null }), ["wrong_type policies[0].permissions"]],
    ["a permission without tool", permission({ allow: true }), [`missing_key ${P}`]],
    ["tool and id together", permission({ tool: "a", id: "b" }), [`conflicting_keys ${P}.id`]],
    [
      "an unknown key of a permission",
      permission({ tool: "t", condition: {} }),
      [`unknown_key ${P}.condition conditions`],
    ],
    ["allow that is no boolean", permission({ tool: "t", allow: "no" }), [`wrong_type ${P}.allow`]],
    ["a list of tools in one permission", permission({ tool: ["a"] }), [`wrong_type ${P}.tool`]],
    ["a tool id with a blank", permission("a b"), [`bad_tool ${P}`]],
    ["a `*` in the wrong place", permission("*.read"), [`bad_tool ${P}`]],
    ["an undefined group", permission("@nowhere"), [`unknown_group ${P}`]],
    [
      "an unknown key of conditions",
      permission({ tool: "t", conditions: { ouput: {} } }),
      [`unknown_key ${P}.conditions.ouput output`],
    ],
    ["a rule that is no mapping", input("sales"), [`wrong_type ${IN}`]],
    ["an unknown operator", input({ minimum: 1 }), [`unknown_operator ${IN}.minimum min`]],
    ["an operator in other letters", input({ minlength: 1 }), [`unknown_operator ${IN}.minlength minLength`]],
    ["an action on an argument", input({ action: "deny" }), [`action_in_input ${IN}.action`]],
    ["a number as a string", input({ min: "3" }), [`bad_operand ${IN}.min`]],
    ["`in` with a number", input({ in: 5 }), [`bad_operand ${IN}.in`]],
    ["an empty `in`", input({ in: [] }), [`bad_operand ${IN}.in`]],
    ["a negative length", input({ minLength: -1 }), [`bad_operand ${IN}.minLength`]],
    ["a fractional length", input({ maxLength: 1.5 }), [`bad_operand ${IN}.maxLength`]],
    ["NaN", input({ min: Number.NaN }), [`bad_operand ${IN}.min`]],
    ["an integer that a double cannot hold", input({ eq: 9007199254740993n }), [`bad_operand ${IN}.eq`]],
    ["an unknown type", input({ type: "integer" }), [`unknown_type ${IN}.type int`]],
    ["`min` above `max`", input({ min: 5, max: 4 }), [`bounds_crossed ${IN}.min`]],
    [
      "`minLength` above `maxLength`",
      input({ minLength: 5, maxLength: 4 }),
      [`bounds_crossed ${IN}.minLength`],
    ],
    ["a pattern that RE2 refuses", input({ matches: "(a)\\1" }), [`bad_pattern ${IN}.matches`]],
    [
      "a refused pattern for the whole output",
      output({ deny_if_patterns: ["ok", "("] }),
      [`bad_pattern ${OUT}.deny_if_patterns[1]`],
    ],
    [
      "a lone refused pattern for the whole output",
      output({ deny_if_patterns: "(" }),
      [`bad_pattern ${OUT}.deny_if_patterns`],
    ],
    [
      "absent fields that are no strings",
      output({ require_fields_absent: [1] }),
      [`wrong_type ${OUT}.require_fields_absent[0] "1"`],
    ],
    ["a negative max_bytes", output({ max_bytes: -1 }), [`bad_operand ${OUT}.max_bytes`]],
    [
      "a field rule on the name of a global rule",
      output({ max_bytes: { max: 5 } }),
      [`bad_operand ${OUT}.max_bytes`],
    ],
    [
      "a misspelt global rule",
      output({ deny_if_pattern: ["a"] }),
      [`unknown_key ${OUT}.deny_if_pattern deny_if_patterns`],
    ],
    ["an unknown action", output({ x: { action: "mask" } }), [`unknown_action ${OUT}.x.action redact`]],
    [
      "an action in other letters",
      output({ x: { action: "FILTER" } }),
      [`unknown_action ${OUT}.x.action filter`],
    ],
    ["truncate without maxLength", output({ x: { action: "truncate" } }), [`missing_key ${OUT}.x.action`]],
    [
      "filter on the value itself",
      output({ $: { action: "filter" } }),
      [`filter_on_root ${OUT}["$"].action`],
    ],
    [
      "redact with a pattern that matches nothing",
      output({ x: { action: "redact", matches: "x*" } }),
      [`empty_match ${OUT}.x.matches`],
    ],
    [
      "redact at word boundaries",
      output({ x: { action: "redact", matches: "\\b" } }),
      [`empty_match ${OUT}.x.matches`],
    ],
    ["a path with an empty part", output({ "a..b": { min: 1 } }), [`bad_path ${OUT}["a..b"]`]],
    ["an empty path", output({ "": { min: 1 } }), [`bad_path ${OUT}[""]`]],
    [
      "a path that ends in a dot",
      permission({ tool: "t", conditions: { input: { "a.": { min: 1 } } } }),
      [`bad_path ${P}.conditions.input["a."]`],
    ],
    ["an unknown mode", entry({ sequence: { mode: "DENY", rules: [] } }), [`unknown_mode ${SEQ}.mode deny`]],
    ["an unknown key of sequence", entry({ sequence: { rule: [] } }), [`unknown_key ${SEQ}.rule rules`]],
    ["a sequence that is a string", entry({ sequence: "t" }), [`wrong_type ${SEQ}`]],
    ["a sequence rule that is no mapping", rule("t"), [`wrong_type ${SEQ}[0]`]],
    ["a sequence rule without deny or allow", rule({ reason: "x" }), [`missing_key ${SEQ}[0]`]],
    [
      "deny and allow in one rule",
      rule({ deny: ["t", "u"], allow: ["t"] }),
      [`conflicting_keys ${SEQ}[0].allow`],
    ],
    [
      "an unknown key beside deny",
      rule({ deny: ["t", "u"], unless: ["t"] }),
      [`unknown_key ${SEQ}[0].unless`],
    ],
    ["a misspelt deny once", rule({ denny: ["t", "u"] }), [`unknown_key ${SEQ}[0].denny deny`]],
    ["a pattern of steps that is a string", rule({ deny: "t" }), [`wrong_type ${SEQ}[0].deny`]],
    ["one step for deny", rule({ deny: ["t"] }), [`too_few_steps ${SEQ}[0].deny`]],
    ["no step for allow", rule({ allow: [] }), [`too_few_steps ${SEQ}[0].allow`]],
    ["17 steps", rule({ allow: Array(17).fill("t") }), [`too_many_steps ${SEQ}[0].allow`]],
    [
      "a reason that is no string",
      rule({ deny: ["t", "u"], reason: true }),
      [`wrong_type ${SEQ}[0].reason "true"`],
    ],
    [
      "half a surrogate pair in a text",
      rule({ deny: ["t", "u"], reason: "\ud800" }),
      [`ill_formed_text ${SEQ}[0].reason`],
    ],
    ["half a surrogate pair in an operand", input({ eq: ["\udc00"] }), [`ill_formed_text ${IN}.eq`]],
  ])("%s", (_name, policy, expected) => {
    expect(faultsOf(policy)).toEqual(expected);
    expect(checkDocument(policy).document).toBeUndefined();
  });

  it("a reference to an empty group, but not the empty group", () => {
    const metadata = { tool_groups: { g: [] } };
    expect(faultsOf({ metadata, policies: [] })).toEqual([]);
    expect(faultsOf({ metadata, policies: [{ role: "r", permissions: ["@g"] }] })).toEqual([
      `empty_group ${P}`,
    ]);
  });

  it("a misspelt group with the right one at hand", () => {
    const metadata = { tool_groups: { egress: ["t"] } };
    expect(faultsOf({ metadata, policies: [{ role: "r", permissions: ["@egres"] }] })).toEqual([
      `unknown_group ${P} @egress`,
    ]);
  });

  it("a group with faults of its own only once", () => {
    const metadata = { tool_groups: { g: ["a b"], "@h": ["t"] } };
    expect(faultsOf({ metadata, policies: [{ role: "r", permissions: ["@g", "@h"] }] })).toEqual([
      "bad_tool metadata.tool_groups.g[0]",
      'bad_name metadata.tool_groups["@h"] h',
    ]);
  });

  it("everything at once, in the order of the document", () => {
    const policy = {
      policies: [
        { role: "*", permissions: ["@x", { allow: 1 }], sequence: [{ deny: "t" }] },
        { permissions: "a b", extra: 1 },
      ],
      metadata: { name: 1, nam: 1 },
      version: 3,
    };
    expect(faultsOf(policy)).toEqual([
      "bad_role policies[0].role",
      "unknown_group policies[0].permissions[0]",
      "missing_key policies[0].permissions[1]",
      "wrong_type policies[0].permissions[1].allow",
      "wrong_type policies[0].sequence[0].deny",
      "missing_key policies[1]",
      "bad_tool policies[1].permissions",
      "unknown_key policies[1].extra",
      'wrong_type metadata.name "1"',
      "unknown_key metadata.nam name",
      "unknown_version version 1",
    ]);
  });

  it("no more than a thousand faults one by one", () => {
    const policy = { policies: Array.from({ length: 5000 }, () => 5) };
    const { faults } = checkDocument(policy);
    expect(faults).toHaveLength(1001);
    expect(faults.find((fault) => fault.code === "too_many_faults")?.message).toContain("4000 more");
  });
});

describe("a checked document", () => {
  it("has its short forms expanded", () => {
    const { document } = checkDocument({
      metadata: { name: "n", tool_groups: { g: "t" }, data_flow: { labels: { t: "L" }, blocks: { L: "u" } } },
      policies: [
        {
          role: "r",
          permissions: ["@g", { id: "u", allow: false }],
          sequence: [{ deny: ["@g", "u"], reason: "why" }],
        },
      ],
    });
    expect(document).toMatchObject({
      version: 1,
      name: "n",
      toolGroups: [{ name: "g", tools: ["t"] }],
      labels: [{ tool: "t", labels: ["L"] }],
      blocks: [{ label: "L", tools: ["u"] }],
      policies: [
        {
          roles: ["r"],
          permissions: [
            { tool: "@g", allow: true, input: [], output: [], at: ["policies", 0, "permissions", 0] },
            { tool: "u", allow: false },
          ],
          sequence: { mode: "allow", rules: [{ kind: "deny", steps: ["@g", "u"], reason: "why" }] },
        },
      ],
    });
  });

  it("keeps rules and operators in the order written, the action apart", () => {
    const { document } = checkDocument(
      output({
        b: { action: "redact", contains: "x", matches: "y" },
        a: { in: "v" },
        max_bytes: 7,
        deny_if_patterns: "z",
      }),
    );
    expect(document?.policies[0]?.permissions[0]).toMatchObject({
      output: [
        {
          path: "b",
          action: "redact",
          operators: [
            { name: "contains", operand: "x" },
            { name: "matches", operand: "y" },
          ],
        },
        { path: "a", operators: [{ name: "in", operand: ["v"] }] },
      ],
      global: { maxBytes: 7, denyIfPatterns: ["z"], requireFieldsAbsent: [] },
    });
  });

  it("is frozen to the last level", () => {
    const { document } = checkDocument({
      metadata: {
        expires: "2030-01-01",
        tool_groups: { g: ["t"] },
        data_flow: { labels: { t: ["L"] }, blocks: { L: ["t"] } },
      },
      policies: [
        {
          role: ["r"],
          permissions: [
            "t",
            {
              tool: "u",
              conditions: {
                input: { x: { eq: { a: [1] } } },
                output: { deny_if_patterns: ["p"], y: { action: "deny" } },
              },
            },
          ],
          sequence: { mode: "deny", rules: [{ allow: ["t"] }] },
        },
      ],
    });
    expect(document).toBeDefined();
    const open: unknown[] = [document];
    for (let value = open.pop(); value !== undefined; value = open.pop()) {
      if (typeof value !== "object" || value === null) continue;
      expect(Object.isFrozen(value)).toBe(true);
      open.push(...Object.values(value));
    }
  });

  it("takes an empty list of policies, and a sequence without rules", () => {
    expect(checkDocument({ policies: [] }).document).toBeDefined();
    expect(
      checkDocument(entry({ sequence: { mode: "deny" } })).document?.policies[0]?.sequence,
    ).toMatchObject({
      mode: "deny",
      rules: [],
    });
  });

  it("takes a big integer that a double holds", () => {
    const { document } = checkDocument(input({ max: 9007199254740994n }));
    expect(document?.policies[0]?.permissions[0]?.input[0]?.operators).toEqual([
      { name: "max", operand: 9007199254740994 },
    ]);
  });

  it("treats keys such as `__proto__` as names like any other", () => {
    const policy = JSON.parse(
      '{"metadata": {"tool_groups": {"__proto__": ["t"], "constructor": ["u"]}}, "policies": [{"role": "__proto__", "permissions": ["@__proto__", "@constructor", {"tool": "v", "conditions": {"output": {"__proto__": {"action": "filter"}}}}]}]}',
    );
    const { document } = checkDocument(policy);
    expect(document?.toolGroups.map((group) => group.name)).toEqual(["__proto__", "constructor"]);
    expect(document?.policies[0]?.permissions[2]?.output[0]?.path).toBe("__proto__");
    expect(faultsOf(JSON.parse('{"policies": [], "__proto__": {"version": 1}}'))).toEqual([
      "unknown_key __proto__",
    ]);
    expect(faultsOf(input(JSON.parse('{"__proto__": 1, "constructor": 2}')))).toEqual([
      `unknown_operator ${IN}.__proto__`,
      `unknown_operator ${IN}.constructor`,
    ]);
  });
});

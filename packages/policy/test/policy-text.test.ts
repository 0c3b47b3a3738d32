import { checkTree, UNREADABLE } from "d2-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PolicyText, readPolicyText } from "../src/index.js";

/** `line:column code`, by counting in the text itself. */
function faultsOf(read: PolicyText): readonly string[] {
  return checkTree(read.tree, read.faults).faults.map((fault) => {
    const before = read.text.slice(0, read.rangeOf(fault).start).split("\n");
    return `${before.length}:${(before.at(-1)?.length ?? 0) + 1} ${fault.code}`;
  });
}

const faults = (text: string, format?: "yaml" | "json") =>
  faultsOf(readPolicyText(text, format ? { format } : {}));

/** A tree as plain data, so that it can be compared. */
function plain(node: unknown): unknown {
  if (node instanceof Map) return Object.fromEntries([...node].map(([key, value]) => [key, plain(value)]));
  return Array.isArray(node) ? node.map(plain) : node;
}

const tree = (text: string) => plain(readPolicyText(text).tree);

describe("reading a policy text refuses", () => {
  it.each<[string, string, string[]]>([
    ["a duplicate key", "policies: []\nmetadata: {name: a, name: b}\n", ["2:21 duplicate_key"]],
    ["a duplicate key in another spelling", 'policies: []\n"policies": []\n', ["2:1 duplicate_key"]],
    ["a second document", "policies: []\n---\npolicies: []\n", ["2:1 multiple_documents"]],
    ["an empty second document", "policies: []\n---\n", ["2:1 multiple_documents"]],
    ["an unresolved alias", "policies: *x\n", ["1:11 unresolved_alias"]],
    ["an alias before its anchor", "policies: [*x]\nmetadata: &x {}\n", ["1:12 unresolved_alias"]],
    ["an alias inside its own anchor", "policies: &x [*x]\n", ["1:15 alias_cycle"]],
    ["a tag", "policies: !!seq []\n", ["1:11 tag"]],
    ["a tag of its own", "policies: []\nmetadata: {name: !secret x}\n", ["2:18 tag"]],
    ["a tag that would make a number", "policies: []\nversion: !!int '1'\n", ["2:10 tag"]],
    ["the non-specific tag", "policies: ! []\n", ["1:11 tag"]],
    ["a tag on a key", "!!str policies: []\n", ["1:1 tag"]],
    ["a merge key", "policies: []\nmetadata: {<<: {name: a}}\n", ["2:12 unknown_key"]],
    ["a number as a key", "policies: []\n1: x\n", ["2:1 non_string_key"]],
    ["nothing as a key", "policies: []\n: x\n", ["2:1 non_string_key"]],
    ["a list as a key", "policies: []\n? [a]\n: x\n", ["2:3 non_string_key"]],
    ["an alias as a key", "policies: &x []\n*x : y\n", ["2:1 non_string_key"]],
    ["an older version of YAML", "%YAML 1.1\n---\npolicies: []\n", ["1:1 directive"]],
    ["a tag directive", "%TAG ! tag:x,2000:\n---\npolicies: []\n", ["1:1 directive"]],
    ["an empty text", "", ["1:1 empty_document"]],
    ["comments alone", "# nothing\n", ["1:1 empty_document"]],
    ["an empty document", "---\n...\n", ["1:1 empty_document"]],
    [
      "a group without quotes",
      "policies:\n  - role: r\n    permissions:\n      - @g\n",
      ["4:9 syntax", "4:9 unknown_group"],
    ],
    ["a star without quotes", "policies:\n  - role: r\n    permissions: [*]\n", ["3:19 syntax"]],
    ["a backslash in double quotes", 'policies: []\nmetadata: {name: "\\d"}\n', ["2:19 syntax"]],
    ["a second colon on a line", "policies: a: b\n", ["1:11 syntax"]],
    ["an open bracket", "policies: [\n", ["2:1 syntax"]],
    ["an open quote", "policies: 'x\n", ["2:1 syntax"]],
    ["a tab as indentation", "policies:\n\t- role: r\n", ["2:1 syntax"]],
    ["lines that do not align", "policies:\n  - role: r\n   permissions: []\n", ["3:1 syntax"]],
    ["a list beside a mapping", "policies: []\n- x\n", ["2:1 syntax"]],
  ])("%s", (_name, text, expected) => {
    expect(faults(text)).toEqual(expected);
  });

  it("what is not JSON, when JSON is asked for", () => {
    expect(faults("policies: []", "json")).toEqual(["1:1 not_json"]);
    expect(faults('{"policies": [],}', "json").map((fault) => fault.split(" ")[1])).toEqual(["not_json"]);
    expect(faults('{"policies": []}', "json")).toEqual([]);
    expect(faults('{"policies": [], "policies": []}', "json")).toEqual(["1:18 duplicate_key"]);
  });

  it.each([
    ["lists", `policies: ${"[".repeat(100_000)}`],
    ["closed lists", `policies: ${"[".repeat(5000)}${"]".repeat(5000)}`],
    ["mappings", `policies: ${"{a: ".repeat(50_000)}`],
    ["lists by dashes", `policies:\n${"- ".repeat(100_000)}x`],
    ["keys by question marks", "? ".repeat(100_000)],
    [
      "mappings by indentation",
      Array.from({ length: 1000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
    ],
    [
      "mappings a little too deep",
      Array.from({ length: 110 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
    ],
  ])("%s nested without end, and does not run out of stack", (_name, text) => {
    expect(faults(text).some((fault) => fault.endsWith(" too_deep"))).toBe(true);
  });

  it("aliases that multiply", () => {
    const names = [..."abcdefghi"];
    const lines = names.map((name, index) => {
      const items = index === 0 ? Array(10).fill("x") : Array(10).fill(`*${names[index - 1]}`);
      return `${name}: &${name} [${items.join(", ")}]`;
    });
    expect(
      faults(`policies: []\n${lines.join("\n")}\n`).filter((fault) => fault.endsWith(" alias_bomb")),
    ).toHaveLength(1);
  });

  it("aliases that reach too deep together", () => {
    const lines = ["a0: &a0 [x]"];
    for (let index = 1; index < 120; index++) lines.push(`a${index}: &a${index} [*a${index - 1}]`);
    expect(faults(lines.join("\n")).some((fault) => fault.endsWith(" too_deep"))).toBe(true);
  });

  it.each([
    ["closing brackets", "]".repeat(20_000)],
    ["unknown escapes", `policies: "${"\\q".repeat(20_000)}"`],
    ["tags", `policies: [${"!a x,".repeat(20_000)}]`],
    ["lines that are no YAML", "a: b: c\n".repeat(20_000)],
  ])("thousands of %s without listing them all", (_name, text) => {
    const { tree: read, faults: found } = readPolicyText(text);
    expect(read).toBe(UNREADABLE);
    expect(found.inDocumentOrder(read).length).toBeLessThanOrEqual(100);
  });
});

describe("reading a policy text", () => {
  it("takes anchors and aliases", () => {
    const text =
      "metadata:\n  tool_groups: {g: &g [t, u], h: *g}\npolicies: [{role: &r x, permissions: ['@h']}, {role: *r}]\n";
    expect(faults(text)).toEqual([]);
    expect(tree(text)).toEqual({
      metadata: { tool_groups: { g: ["t", "u"], h: ["t", "u"] } },
      policies: [{ role: "x", permissions: ["@h"] }, { role: "x" }],
    });
  });

  it("gives an alias the latest anchor of its name", () => {
    expect(tree("a: &x 1\nb: *x\nc: &x 2\nd: *x\n")).toEqual({ a: 1, b: 1, c: 2, d: 2 });
  });

  it("finds a fault that an alias brings along where the text stands", () => {
    const text = "metadata: {tool_groups: {g: &g [a b], h: *g}}\npolicies: []\n";
    expect(faults(text)).toEqual(["1:33 bad_tool", "1:33 bad_tool"]);
  });

  it.each([
    ["a byte order mark", "\ufeffpolicies: []\n"],
    ["Windows line ends", "metadata:\r\n  name: n\r\npolicies:\r\n  - role: r\r\n    permissions: [t]\r\n"],
    [
      "JSON indented by tabs",
      '{\n\t"policies": [\n\t\t{ "role":\t"r",\n\t\t\t"permissions": ["t"] }\n\t]\n}\n',
    ],
    ["JSON on one line", '{"policies":[{"role":"r","permissions":["*",{"tool":"t","allow":false}]}]}'],
    ["document marks", "%YAML 1.2\n---\npolicies: []\n...\n"],
    [
      "a text of block scalars",
      "metadata:\n  description: |\n    !not a tag\n    %not a directive\npolicies: []\n",
    ],
  ])("takes %s", (_name, text) => {
    expect(faults(text)).toEqual([]);
  });

  it("takes a JSON key of any length", () => {
    expect(tree(`{"${"k".repeat(5000)}": 1}`)).toEqual({ ["k".repeat(5000)]: 1 });
  });

  it("reads scalars by the core schema of YAML 1.2", () => {
    expect(
      tree("[yes, no, on, true, ~, 1, 0x10, 0o17, 010, 1.5, 1e3, .inf, 2027-01-31, 1_000, '1', 1:30]"),
    ).toEqual([
      "yes",
      "no",
      "on",
      true,
      null,
      1,
      16,
      15,
      10,
      1.5,
      1000,
      Number.POSITIVE_INFINITY,
      "2027-01-31",
      "1_000",
      "1",
      "1:30",
    ]);
  });

  it("keeps integers that a double may not hold, and knows no -0", () => {
    expect(tree("[9007199254740991, 9007199254740992, -9007199254740993, -0, -0.0]")).toEqual([
      9007199254740991,
      9007199254740992n,
      -9007199254740993n,
      0,
      0,
    ]);
  });

  it("keeps keys in the order written, also those that look like indexes, and `__proto__` as a key", () => {
    const { tree: read } = readPolicyText("b: 1\n'10': 2\n'9': 3\n__proto__: 4\n");
    expect(read instanceof Map && [...read.keys()]).toEqual(["b", "10", "9", "__proto__"]);
  });

  it("reads any JSON as JSON does", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const text = JSON.stringify({ value }, null, indent);
        const read = readPolicyText(text, { format: "json" });
        expect(read.faults.hasErrors).toBe(false);
        // Big integers stay what they are and are judged later; JSON rounds them.
        const numbers = (node: unknown): unknown =>
          typeof node === "bigint"
            ? Number(node)
            : Array.isArray(node)
              ? node.map(numbers)
              : node instanceof Map
                ? new Map([...node].map(([key, inner]) => [key, numbers(inner)]))
                : node;
        expect(plain(numbers(read.tree))).toEqual(
          JSON.parse(text, (_key, inner) => (inner === 0 ? 0 : inner)),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("never throws, whatever the text", () => {
    const pieces = [
      "a",
      ":",
      " ",
      "\n",
      "- ",
      "? ",
      "[",
      "]",
      "{",
      "}",
      ",",
      "&a ",
      "*a",
      "!t ",
      "|",
      ">",
      "'",
      '"',
      "#",
      "%",
      "---",
      "\t",
      "\\",
      "@",
      "<<",
      "\ufeff",
      "1",
      "\u0000",
      "\r\n",
      "policies",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (parts) => {
        const read = readPolicyText(parts.join(""));
        for (const fault of checkTree(read.tree, read.faults).faults) {
          const { start, end } = read.rangeOf(fault);
          expect(0 <= start && start <= end && start <= read.text.length).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

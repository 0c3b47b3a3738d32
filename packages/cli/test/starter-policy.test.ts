// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are code.
import { loadPolicy } from "d2-policy";
import type { FoundCode, FoundTool } from "d2-policy/diagnose";
import { describe, expect, it } from "vitest";
import { starterPolicy } from "../src/starter/starter-policy.js";
import { verbOf } from "../src/starter/tool-verbs.js";

const SCHEMA = "./node_modules/d2-policy/schema/policy.schema.json";

function found(ids: readonly string[], dynamic: FoundCode["dynamic"] = []): FoundCode {
  const tools = ids.map((tool, index): FoundTool => {
    const params = ["table", "limit"];
    return {
      tool,
      file: "src/tools.ts",
      line: index + 1,
      column: 1,
      kind: "function",
      params,
      argument: "object",
    };
  });
  return { tools, dynamic, scanned: 3 };
}

const write = (code: FoundCode, format: "yaml" | "json", name = "shop") =>
  starterPolicy(code, { format, name, schema: SCHEMA });

const load = (text: string, format: "yaml" | "json" = "yaml") => loadPolicy(text, { format, now: 0 });

/** Ids that each try to break out of YAML, of the comment beside them, or of the language. */
const ODD = [
  "true",
  "null",
  "no",
  "1.5",
  "a:",
  ":a",
  "a:b",
  "-x",
  "- x",
  "#x",
  "a#b",
  "&a",
  "!a",
  "%a",
  "`a`",
  "'a'",
  '"a"',
  "{a}",
  "[a]",
  "a,b",
  "?",
  "|",
  ">",
  "~",
  "=",
  "<<",
  "0x1",
  "1e3",
  ".inf",
  "2020-01-01",
  "ünï.cödé",
  "工具.読む",
  "a\\b",
  "a b",
  "@a",
  "a*",
  "",
  "a\nb: c",
  "a\u2028b",
  "a\u202eb",
  "a\u0000",
  "a\u0085b",
  "x".repeat(300),
  "\ud800",
  "__proto__",
  "constructor",
  "a\u007f",
];

const SHOP = [
  "crm.lookup",
  "crm.search",
  "crm.update_note",
  "crm.delete_customer",
  "orders:list",
  "orders:refund",
  "email/send",
  "readBilling",
  "payTransfer",
];

describe("a starter policy", () => {
  it.each([
    ["nothing", []],
    ["one tool", ["crm.lookup"]],
    ["tools that only write", ["email.send"]],
    ["tools that only destroy", ["db.drop"]],
    ["a shop", SHOP],
    ["odd ids", ODD],
    ["every tool twice", [...SHOP, ...SHOP]],
  ])("loads without faults and warnings for %s, in both formats alike", (_, ids) => {
    const dynamic = [{ file: "src/a\nb: c.ts", line: 3, column: 1, text: "`x.${\n y}`" }];
    const yaml = load(write(found(ids, dynamic), "yaml"));
    const json = load(write(found(ids, dynamic), "json"), "json");
    expect([yaml.warnings, json.warnings]).toEqual([[], []]);
    expect(yaml.document.policies).toEqual(json.document.policies);
    expect(yaml.document.toolGroups).toEqual(json.document.toolGroups);
    expect([yaml.name, json.name]).toEqual(["shop", "shop"]);
  });

  it("names every tool once, and refuses none that the language takes", () => {
    const { document } = load(write(found([...SHOP, ...ODD]), "yaml"));
    const grouped = document.toolGroups.flatMap(({ tools }) => tools.map(String));
    expect(new Set(grouped).size).toBe(grouped.length);
    const text = write(found([...SHOP, ...ODD]), "yaml");
    for (const id of SHOP) expect(text).toContain(id);
  });

  it("gives a viewer what reads, a developer what does not destroy, an admin everything", () => {
    const { metadata, policies } = JSON.parse(write(found(SHOP), "json"));
    expect(metadata.tool_groups).toEqual({
      read: ["crm.lookup", "crm.search", "orders:list", "readBilling"],
      write: ["crm.update_note", "email/send"],
    });
    expect(policies).toEqual([
      { role: "admin", permissions: ["*"] },
      { role: "developer", permissions: ["@read", "@write"] },
      { role: "viewer", permissions: ["@read"] },
    ]);
    expect(metadata.description).toContain("`crm.delete_customer`, `orders:refund`, `payTransfer`");
  });

  it("begins with the line by which editors find the schema, and says what is left to decide", () => {
    const dynamic = [{ file: "src/a.ts", line: 3, column: 1, text: "`db.${name}`" }];
    const text = write(found([...SHOP, "not a tool"], dynamic), "yaml");
    expect(text.split("\n")[0]).toBe(`# yaml-language-server: $schema=${SCHEMA}`);
    expect(text).toContain("      # - crm.delete_customer  # src/tools.ts:4\n");
    expect(text).toContain("#   src/a.ts:3  `db.${name}`\n");
    expect(text).toContain("#   src/tools.ts:10  the tool id `not a tool` holds white space: take it out\n");
  });

  it("has examples that are sound once their comment signs are taken away", () => {
    for (const ids of [SHOP, ODD.filter((id) => id !== "")]) {
      const text = write(found(ids), "yaml");
      const open = text
        .split("\n")
        .map((line) =>
          line.replace(
            /^( *)# (?=(?: *(?:data_flow|labels|blocks|permissions|conditions|input|output|sequence|reason|email|password|table)\b.*:)|- role| *- tool| *- deny)/,
            "$1",
          ),
        )
        .join("\n");
      const { document, warnings } = load(open);
      expect(warnings).toEqual([]);
      expect(document.policies.map(({ roles }) => roles)).toEqual([
        ["admin"],
        ["developer"],
        ["viewer"],
        ["developer"],
      ]);
      expect(document.labels).toHaveLength(1);
    }
  });

  it("bears any name for the policy and any place of the schema", () => {
    for (const name of ["true", "my app", "a: b", "# x", "'", "工具"]) {
      expect(load(write(found(SHOP), "yaml", name)).name).toBe(name);
    }
    const text = starterPolicy(found([]), { format: "yaml", name: "a", schema: "x\npolicies: []" });
    expect(load(text).document.policies).toHaveLength(3);
  });
});

describe("what a tool does", () => {
  it.each([
    ["crm.get_customer", "read"],
    ["db:readUsers", "read"],
    ["files/list", "read"],
    ["search", "read"],
    ["users_list", "read"],
    ["web.fetchPage", "read"],
    ["report.generate", "write"],
    ["findOrCreate", "write"],
    ["email.send", "write"],
    ["budget", "write"],
    ["a..", "write"],
    ["show.start", "write"],
    ["db.dropTable", "destructive"],
    ["user-delete", "destructive"],
    ["read_and_purge", "destructive"],
    ["pay", "destructive"],
    ["bank:transferFunds", "destructive"],
  ])("`%s` is told from its name", (id, verb) => {
    expect(verbOf(id)).toBe(verb);
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { OPERATORS } from "d2-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyJsonSchema } from "../src/index.js";
import { YamlLanguageServer } from "./yaml-language-server.js";

const schemaFile = fileURLToPath(new URL("../schema/policy.schema.json", import.meta.url));

describe("the JSON Schema of a policy", () => {
  it("is the one in the package; if not, run `node packages/policy/scripts/generate-schema.mjs` after a build", () => {
    expect(JSON.parse(readFileSync(schemaFile, "utf8"))).toEqual(policyJsonSchema());
  });

  it("accepts every policy of the conformance cases that is to be loaded", () => {
    // The validator is the language server's own.
    const require = createRequire(
      createRequire(import.meta.url).resolve("yaml-language-server/package.json"),
    );
    const { default: Ajv } = require("ajv") as { default: new (options: object) => Validator };
    const validator = new Ajv({ strict: false, validateFormats: false });
    const validate = validator.compile(policyJsonSchema());
    const folder = new URL("../../../conformance/guard/", import.meta.url);
    let accepted = 0;
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
      for (const { id, policy, expect: outcome } of JSON.parse(readFileSync(new URL(file, folder), "utf8"))) {
        if (typeof policy === "string" || outcome?.load_error === "ConfigurationError") continue;
        // An expiry that cannot be read is no matter of the schema.
        if (id === "load.expires.number") continue;
        const valid = validate(policy);
        expect([id, valid ? [] : validate.errors]).toEqual([id, []]);
        accepted++;
      }
    }
    expect(accepted).toBeGreaterThan(500);
  });
});

interface Validator {
  compile(schema: object): ((value: unknown) => boolean) & { readonly errors: unknown };
}

describe("yaml-language-server with this schema", () => {
  const policy = `version: 1
metadata:
  name: billing-agent
  expires: 2027-01-31T00:00:00Z
  tool_groups:
    sensitive: [database.read_users, secrets.get_key]
  data_flow:
    labels: { "@sensitive": [SENSITIVE] }
    blocks: { SENSITIVE: ["web.*"] }
policies:
  - role: [analyst, auditor]
    permissions:
      - analytics.summarize
      - "@sensitive"
      - tool: reports.generate
        conditions:
          input:
            limit: { type: int, min: 1, max: 1000 }
            table:
              in: [sales, stock]
          output:
            ssn: { action: truncate, maxLength: 3 }
            max_bytes: 5000
    sequence:
      - deny: ["@sensitive", web.http]
        reason: secrets stay inside
  - role: admin
    permissions: ["*"]
    sequence: { mode: deny, rules: [{ allow: ["*"] }] }
`;
  let server: YamlLanguageServer;
  let documents = 0;

  beforeAll(async () => {
    server = await YamlLanguageServer.start(schemaFile);
  });
  afterAll(async () => {
    await server.stop();
  });

  /** Opens a text as a document of its own; the place of `|` is taken out and remembered. */
  async function open(marked: string) {
    const uri = `file:///policies/${++documents}.yaml`;
    const before = marked.split("|")[0]?.split("\n") ?? [];
    const diagnostics = await server.open(uri, marked.replace("|", ""));
    return { uri, diagnostics, line: before.length - 1, character: before.at(-1)?.length ?? 0 };
  }

  it("finds nothing wrong with a good policy", async () => {
    expect((await open(policy)).diagnostics).toEqual([]);
  });

  it.each<[string, string, string, number, RegExp]>([
    ["an unknown operator", "min: 1,", "minimum: 1,", 17, /minimum is not allowed/],
    ["an operand of the wrong kind", "max: 1000", "max: '3'", 17, /Expected "number"/],
    ["an unknown type", "type: int", "type: integer", 17, /"int"/],
    ["truncate without maxLength", "truncate, maxLength: 3", "truncate", 21, /Missing property "maxLength"/],
    ["an unknown action", "truncate, maxLength: 3", "mask", 21, /"filter", "redact", "truncate", "deny"/],
    ["an unknown mode", "mode: deny", "mode: denny", 28, /"allow", "deny"/],
    ["a `*` in the wrong place", "web.http]", "web.*.get]", 24, /prefix that ends in/],
    ["one step for deny", '["@sensitive", web.http]', "[web.http]", 24, /fewer|too few|minimum|at least/i],
    ["an entry without role", "role: admin\n    permissions", "permissions", 26, /Missing property "role"/],
    ["an unknown top-level key", "policies:", "polices:", 9, /polices is not allowed/],
  ])("shows %s where it stands", async (_name, right, wrong, line, message) => {
    expect(policy).toContain(right);
    const { diagnostics } = await open(policy.replace(right, wrong));
    const here = diagnostics.filter((found) => found.range.start.line === line).map((found) => found.message);
    expect(here.join("\n")).toMatch(message);
  });

  it("completes every operator in a rule", async () => {
    const { uri, line, character } = await open(policy.replace("in: [sales, stock]", "|"));
    expect([...(await server.complete(uri, line, character))].sort()).toEqual([...OPERATORS.keys()].sort());
  });

  it("completes the keys of metadata, of an entry and of a permission", async () => {
    const labelsAt = async (text: string) => {
      const { uri, line, character } = await open(text);
      return server.complete(uri, line, character);
    };
    expect(await labelsAt("metadata:\n  |\n")).toEqual(
      expect.arrayContaining(["name", "description", "expires", "tool_groups", "data_flow"]),
    );
    expect(await labelsAt("policies:\n  - role: r\n    |\n")).toEqual(
      expect.arrayContaining(["permissions", "sequence"]),
    );
    expect(await labelsAt("policies:\n  - role: r\n    permissions:\n      - tool: t\n        |\n")).toEqual(
      expect.arrayContaining(["allow", "conditions"]),
    );
  });

  it("completes actions", async () => {
    const text = policy.replace("ssn: { action: truncate, maxLength: 3 }", "ssn:\n              action: |");
    const { uri, line, character } = await open(text);
    expect(await server.complete(uri, line, character)).toEqual(["filter", "redact", "truncate", "deny"]);
  });

  it.each([
    ["an operator", "type: int, m|in: 1", OPERATORS.get("min")?.summary ?? ""],
    ["a key", "tool_gr|oups", "Named sets of tools"],
    ["a section", "condi|tions", "Guardrails"],
    ["a mode", "mo|de: deny", "only what an allow rule permits"],
  ])("explains %s on hover", async (_name, marked, text) => {
    const plain = marked.replace("|", "");
    expect(policy).toContain(plain);
    const { uri, line, character } = await open(policy.replace(plain, marked));
    expect(text).not.toBe("");
    expect(await server.hover(uri, line, character)).toContain(text);
  });
});

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { policyTestsJsonSchema, readPolicyTests } from "../src/testing.js";

const schemaFile = fileURLToPath(new URL("../schema/tests.schema.json", import.meta.url));

interface Validator {
  compile(schema: object): (value: unknown) => boolean;
}

/** The validator is the language server's own. */
function validator(): (value: unknown) => boolean {
  const require = createRequire(createRequire(import.meta.url).resolve("yaml-language-server/package.json"));
  const { default: Ajv } = require("ajv") as { default: new (options: object) => Validator };
  return new Ajv({ strict: false, validateFormats: false }).compile(policyTestsJsonSchema());
}

const call = { call: "t", expect: "deny" };

describe("the JSON Schema of policy tests", () => {
  const validate = validator();

  it("is the one in the package; if not, run `node packages/policy/scripts/generate-schema.mjs` after a build", () => {
    expect(JSON.parse(readFileSync(schemaFile, "utf8"))).toEqual(policyTestsJsonSchema());
  });

  it.each<[string, object]>([
    ["nothing", { tests: [] }],
    [
      "every key",
      {
        policy: "p.yaml",
        users: { ana: { id: "a", roles: "analyst" } },
        tools: { t: { params: ["a", "...b"] } },
        tests: [
          {
            name: "a",
            user: "ana",
            history: ["a", { call: "b", args: {}, returns: null, assume: true }],
            facts: ["PII"],
            now: "2027-01-01",
            call: "t",
            args: [1],
            returns: 3,
            expect: {
              decision: "allow",
              reason: "ok",
              layer: "none",
              violations: [],
              value: 3,
              value_includes: 3,
            },
          },
          { name: "b", user: { roles: [] }, ...call, fails: true, facts: "PII", history: "a" },
          { name: "c", user: null, steps: [{ call: "a" }, { ...call, args: { a: 1 } }] },
        ],
      },
    ],
    [
      "tables",
      {
        tests: [
          {
            name: "a",
            call: "t",
            table: { columns: ["args.a.b", "expect"], rows: [[1, "deny"], { expect: "allow" }] },
          },
        ],
      },
    ],
  ])("takes what the reader takes: %s", (_, tests) => {
    expect(readPolicyTests(JSON.stringify(tests)).tests).toBeDefined();
    expect(validate(tests)).toBe(true);
  });

  it.each<[string, object]>([
    ["no tests", {}],
    ["an unknown key", { tests: [], test: [] }],
    ["a test without a name", { tests: [call] }],
    ["an unknown key of a test", { tests: [{ name: "a", ...call, arguments: {} }] }],
    ["a group as a call", { tests: [{ name: "a", call: "@g", expect: "deny" }] }],
    ["an unknown decision", { tests: [{ name: "a", call: "t", expect: "denied" }] }],
    ["an unknown reason", { tests: [{ name: "a", call: "t", expect: { reason: "no" } }] }],
    ["an unknown column", { tests: [{ name: "a", table: { columns: ["arg"], rows: [] } }] }],
    ["an expectation in the history", { tests: [{ name: "a", ...call, history: [call] }] }],
    ["a user without roles", { users: { a: {} }, tests: [] }],
  ])("refuses what the reader refuses: %s", (_, tests) => {
    expect(() => readPolicyTests(JSON.stringify(tests))).toThrow();
    expect(validate(tests)).toBe(false);
  });
});

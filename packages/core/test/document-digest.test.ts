import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { digest } from "../src/canonical/canonical-json.js";
import { encodeTagged } from "../src/canonical/tagged.js";
import { checkDocument } from "../src/document/check-document.js";
import { documentDigest, normalisedDocument } from "../src/document/document-digest.js";

function digestOf(policy: unknown): string {
  const { document, faults } = checkDocument(policy);
  if (document === undefined) throw new Error(JSON.stringify(faults));
  return documentDigest(document);
}

function withPermission(permission: unknown): unknown {
  return { policies: [{ role: "r", permissions: [permission] }] };
}

function withOutput(output: unknown): unknown {
  return withPermission({ tool: "t", conditions: { output } });
}

describe("the document digest", () => {
  it("is that of the normalised document, for every policy of the conformance cases", () => {
    const folder = new URL("../../../conformance/guard/", import.meta.url);
    let compared = 0;
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
      for (const { policy } of JSON.parse(readFileSync(new URL(file, folder), "utf8"))) {
        const { document } = checkDocument(policy);
        if (document === undefined) continue;
        compared++;
        expect(documentDigest(document)).toBe(digest(encodeTagged(normalisedDocument(document))));
      }
    }
    expect(compared).toBeGreaterThan(500);
  });

  it("is the same for short and long forms", () => {
    const short = {
      metadata: { tool_groups: { g: "a" } },
      policies: [
        {
          role: "r",
          permissions: ["@g", { id: "b", conditions: { input: { x: { in: "v" } } } }],
          sequence: [{ deny: ["a", "b"] }],
        },
      ],
    };
    const long = {
      version: 1,
      metadata: { tool_groups: { g: ["a"] }, data_flow: { labels: {}, blocks: {} } },
      policies: [
        {
          roles: ["r"],
          permissions: [
            { tool: "@g", allow: true, conditions: {} },
            { tool: "b", conditions: { input: { x: { in: ["v"] } }, output: {} } },
          ],
          sequence: { mode: "allow", rules: [{ deny: ["a", "b"] }] },
        },
      ],
    };
    expect(digestOf(long)).toBe(digestOf(short));
  });

  it("does not depend on the order of keys that have none", () => {
    expect(digestOf(withOutput({ a: { min: 1, max: 2 }, b: { min: 1 } }))).toBe(
      digestOf(withOutput({ b: { min: 1 }, a: { max: 2, min: 1 } })),
    );
    expect(digestOf({ policies: [], metadata: { description: "d", name: "n" } })).toBe(
      digestOf({ metadata: { name: "n", description: "d" }, policies: [] }),
    );
  });

  it("depends on the order of output rules with an action", () => {
    const first = { a: { action: "filter" }, b: { action: "redact" } };
    const second = { b: { action: "redact" }, a: { action: "filter" } };
    expect(digestOf(withOutput(first))).not.toBe(digestOf(withOutput(second)));
  });

  it.each([
    ["the tool", withPermission("t"), withPermission("u")],
    ["a denial", withPermission({ tool: "t" }), withPermission({ tool: "t", allow: false })],
    [
      "a group against its tools",
      withPermission("t"),
      {
        metadata: { tool_groups: { g: ["t"] } },
        policies: [{ role: "r", permissions: ["@g"] }],
      },
    ],
    ["an operand", withOutput({ a: { eq: 1 } }), withOutput({ a: { eq: "1" } })],
    ["a fraction", withOutput({ a: { min: 0.1 } }), withOutput({ a: { min: 0.2 } })],
    ["an action", withOutput({ a: { action: "filter" } }), withOutput({ a: { action: "deny" } })],
    ["a global rule", withOutput({ max_bytes: 1 }), withOutput({ max_bytes: 2 })],
    ["a global rule without others", withOutput({ max_bytes: 1 }), withOutput({})],
    ["a role", { policies: [{ role: "a" }] }, { policies: [{ role: "b" }] }],
    ["the expiry", { policies: [], metadata: { expires: "2030-01-01" } }, { policies: [] }],
    [
      "a key named `__proto__`",
      withOutput({ a: { eq: JSON.parse('{"__proto__": 1}') } }),
      withOutput({ a: { eq: {} } }),
    ],
  ])("tells policies apart by %s", (_name, one, other) => {
    expect(digestOf(one)).not.toBe(digestOf(other));
  });
});

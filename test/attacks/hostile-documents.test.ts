// The bypass: a policy text or object that takes the reader down (aliases that multiply, nesting without end, numbers
// of a million digits), or that says one thing to a reader and another to the guard (duplicate keys, merges, tags, a
// second document, an object that answers differently each time). It must be refused, whole, and the policy in force
// must stay in force.

import { type ConfigurationError, configureRbac, d2Guard, getPolicyManager } from "d2-sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asAgent, enforce, errorOf, outcome, recorder } from "./enforce.js";

const GRANT = "policies: [{ role: agent, permissions: ['*'] }]";

let digest: string;

beforeEach(async () => {
  await enforce([{ role: "agent", permissions: ["read"] }]);
  digest = getPolicyManager().policy.digest;
});

afterEach(() => {
  expect(getPolicyManager().policy.digest).toBe(digest);
  expect(asAgent(() => outcome(d2Guard("read", () => 1)))).toBe("ok");
  expect(asAgent(() => outcome(d2Guard("other", () => 1)))).toBe("missing_policy");
});

async function refusal(policy: string | object): Promise<ConfigurationError> {
  const error = await errorOf(() => configureRbac({ policy, logger: recorder() }));
  expect(error).toMatchObject({ code: "configuration_error" });
  // The line above has told what it is.
  return error as ConfigurationError;
}

const codesOf = (error: ConfigurationError): string[] => [
  ...new Set(error.diagnostics.map(({ code }) => code)),
];

function bomb(levels: number, width: number): string {
  const lines = ["x0: &a0 [boom]"];
  for (let level = 1; level < levels; level += 1) {
    lines.push(`x${level}: &a${level} [${`*a${level - 1},`.repeat(width)}]`);
  }
  return lines.join("\n");
}

describe("a text", () => {
  it.each([
    ["aliases that stand for billions of values", `${bomb(10, 10)}\n${GRANT}`, "alias_bomb"],
    ["aliases that double, many times over", `${bomb(60, 2)}\n${GRANT}`, "alias_bomb"],
    ["an alias bomb in a place that is read", `${bomb(9, 12)}\npolicies: *a8`, "alias_bomb"],
    ["an alias without an anchor", "policies: *nowhere", "unresolved_alias"],
    ["an alias before its anchor", `policies: [*late]\nmetadata: &late {}`, "unresolved_alias"],
    ["an alias inside what it stands for", "policies: &self [*self]", "alias_cycle"],
    ["a key twice", `${GRANT}\npolicies: []`, "duplicate_key"],
    [
      "a key twice, deep inside",
      "policies: [{ role: agent, permissions: [{ tool: a, allow: false, allow: true }] }]",
      "duplicate_key",
    ],
    ["a key twice, once in quotes", `${GRANT}\n"policies": []`, "duplicate_key"],
    ["a key twice, once by an escape", `${GRANT}\n"polic\\u0069es": []`, "duplicate_key"],
    ["a merge", `base: &base { role: agent }\npolicies: [{ <<: *base, permissions: ['*'] }]`, "unknown_key"],
    ["a tag that names code", `policies: !!js/function "() => process.exit()"`, "tag"],
    ["a tag that names a type", "policies: [{ role: !!str agent, permissions: ['*'] }]", "tag"],
    ["a local tag", "policies: !grant [{ role: agent, permissions: ['*'] }]", "tag"],
    ["a tag by a directive", `%TAG ! tag:yaml.org,2002:\n---\n${GRANT}`, "directive"],
    ["an older YAML, in which yes is true", `%YAML 1.1\n---\n${GRANT}`, "directive"],
    ["a second document", `${GRANT}\n---\n${GRANT}`, "multiple_documents"],
    ["a key that is a list", `${GRANT}\n? [a]\n: 1`, "non_string_key"],
    ["a key that is a number", `${GRANT}\n1: 2`, "non_string_key"],
    ["a key that is nothing", `${GRANT}\n: 2`, "non_string_key"],
  ])("with %s is refused", async (_what, text, code) => {
    const error = await refusal(text);
    expect(codesOf(error).join()).toContain(code);
  });

  it.each([
    ["flow lists", "[".repeat(100_000)],
    ["closed flow lists", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["flow mappings", '{"a":'.repeat(100_000)],
    ["block lists", `policies:\n${"- ".repeat(100_000)}a`],
    ["block mappings", Array.from({ length: 1000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
    ["explicit keys", `${"? ".repeat(100_000)}a`],
  ])("of %s nested without end is refused, not followed to the end of the stack", async (_what, text) => {
    await refusal(text);
  });

  it.each([
    ["five thousand unclosed quotes", `${GRANT}\n${'a: "\n'.repeat(5_000)}`],
    ["five thousand duplicate keys", `${GRANT}\n${"a: 1\n".repeat(5_000)}`],
    ["five thousand tags", `policies: [${"!!str a, ".repeat(5_000)}]`],
    ["five thousand unknown aliases", `policies: [${"*a, ".repeat(5_000)}]`],
    ["five thousand anchors of one name", `policies: [${"&a b, ".repeat(5_000)}*a]`],
    ["a number of a million digits", `policies: [${"9".repeat(1_000_000)}]`],
    ["a tool of a million characters", `policies: [{ role: a, permissions: [${"a".repeat(1_000_000)}] }]`],
    ["a million blanks", `${" ".repeat(1_000_000)}x`],
    ["a million dashes", "-".repeat(1_000_000)],
    ["a million colons", ":".repeat(1_000_000)],
    ["ten thousand line breaks", `${"\n".repeat(10_000)}- a`],
    ["null characters", `policies: [{ role: "agent\0", permissions: ["*"] }]`],
    ["nothing", ""],
    ["a comment alone", "# policies: []"],
  ])("of %s is refused in good time, with a message that can be read", async (_what, text) => {
    const error = await refusal(text);
    expect(error.message.length).toBeLessThan(20_000);
  });

  it("larger than the limit is refused before it is read, whatever it says", async () => {
    const large = `policies: [${"!!str [".repeat(1_300_000)}`;
    await expect(configureRbac({ policy: large, logger: recorder() })).rejects.toMatchObject({
      code: "policy_too_large",
    });
  });

  it("with aliases within reason is read, and means what it spells out", async () => {
    const text = "metadata: { tool_groups: { g: &g [read] } }\npolicies: [{ role: agent, permissions: *g }]";
    await configureRbac({ policy: text, logger: recorder() });
    digest = getPolicyManager().policy.digest;
  });
});

describe("an object", () => {
  const base = (): Record<string, unknown> => ({ policies: [{ role: "agent", permissions: ["*"] }] });
  const cyclic = base();
  cyclic["metadata"] = { tool_groups: cyclic };
  let asked = 0;
  const objects: [string, object][] = [
    ["a cycle", cyclic],
    ["a proxy", new Proxy(base(), {})],
    ["a proxy inside", { policies: new Proxy([{ role: "agent", permissions: ["*"] }], {}) }],
    [
      "an accessor",
      Object.defineProperty({}, "policies", { get: () => base()["policies"], enumerable: true }),
    ],
    [
      "an accessor that turns a refusal into a grant",
      {
        policies: [
          {
            role: "agent",
            permissions: [
              {
                tool: "other",
                get allow() {
                  asked += 1;
                  return asked > 1;
                },
              },
            ],
          },
        ],
      },
    ],
    ["a toJSON", { ...base(), toJSON: base }],
    [
      "an instance of a class",
      {
        policies: [
          new (class Entry {
            role = "agent";
            permissions = ["*"];
          })(),
        ],
      },
    ],
    ["a Map", { policies: new Map([[0, { role: "agent", permissions: ["*"] }]]) }],
    ["a Set as a list", { policies: [{ role: "agent", permissions: new Set(["*"]) }] }],
    ["a boxed string", { policies: [{ role: Object("agent"), permissions: ["*"] }] }],
    ["a hole", { policies: [Object.assign(new Array(2), { 1: { role: "agent", permissions: ["*"] } })] }],
    ["a list of nothing but holes", { policies: new Array(1_000_000) }],
    ["undefined for a list", { policies: [{ role: "agent", permissions: undefined }] }],
    [
      "NaN for a bound",
      {
        policies: [
          { role: "agent", permissions: [{ tool: "a", conditions: { input: { n: { max: Number.NaN } } } }] },
        ],
      },
    ],
    ["a function", { policies: () => base()["policies"] }],
  ];

  it.each(objects)("with %s is refused, and none of its code is run twice", async (_what, object) => {
    await refusal(object);
    expect(asked).toBeLessThan(2);
  });

  it("nested without end, or whose parts are shared a billion times, is refused", async () => {
    let deep: unknown = "a";
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(codesOf(await refusal({ policies: deep }))).toContain("too_deep");
    let shared: unknown = "a";
    for (let level = 0; level < 60; level += 1) shared = [shared, shared];
    await expect(
      configureRbac({
        policy: { policies: shared },
        logger: recorder(),
        limits: { maxBundleBytes: 100_000 },
      }),
    ).rejects.toMatchObject({
      code: "policy_too_large",
    });
  });

  it("that is changed after it was given changes nothing", async () => {
    const policy = { policies: [{ role: "agent", permissions: ["read"] }] };
    await configureRbac({ policy, logger: recorder() });
    policy.policies[0]?.permissions.push("*");
    policy.policies.push({ role: "agent", permissions: ["other"] });
    digest = getPolicyManager().policy.digest;
  });
});

import {
  BundleExpiredError,
  ConfigurationError,
  type Diagnostic,
  PolicyTooLargeError,
  TooManyToolsError,
} from "d2-core";
import { describe, expect, it } from "vitest";
import { type LoadOptions, loadPolicy } from "../src/index.js";

const NOW = Date.UTC(2026, 0, 1);

function load(policy: string | object, options: Partial<LoadOptions> = {}) {
  return loadPolicy(policy, { now: NOW, ...options });
}

function refusalOf(policy: string | object, options: Partial<LoadOptions> = {}): ConfigurationError {
  try {
    load(policy, options);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error("the policy was loaded");
}

/** `line:column-endColumn code path suggestion` */
function place(found: Diagnostic): string {
  const words = [
    `${found.line}:${found.column}-${found.endColumn}`,
    found.code,
    found.path,
    found.suggestion,
  ];
  return words.filter((word) => word !== undefined && word !== "").join(" ");
}

describe("loading a policy", () => {
  it("gives the document, its name, digest, version and expiry", () => {
    const loaded = load("metadata: {name: billing, expires: 2027-01-31T00:00:00Z}\npolicies: []\n");
    expect(loaded).toMatchObject({
      name: "billing",
      expiresAt: Date.UTC(2027, 0, 31),
      warnings: [],
      document: { version: 1, name: "billing", expires: "2027-01-31T00:00:00Z", policies: [] },
    });
    expect(loaded.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(loaded.version).toBe(`sha256:${loaded.digest.slice(0, 16)}`);
    expect(Object.isFrozen(loaded)).toBe(true);
  });

  it("calls a policy without a name `unnamed`", () => {
    expect(load({ policies: [] })).toMatchObject({ name: "unnamed", expiresAt: undefined });
  });

  it("reports all faults of a text together, each with its place, path and suggestion", () => {
    const text = `version: 3
metadata:
  expiry: 2027-01-31
  tool_groups:
    empty: []
    odd: ["a.*.b", "@empty"]
  data_flow:
    labels: { "@nowhere": [PII] }
policies:
  - role: "*"
    permissions:
      - "@empty"
      - tool: reports.generate
        conditions:
          input:
            limit: { minimum: 1 }
            name: { minlength: 1 }
            a..b: { min: "3" }
            range: { min: 5, max: 4 }
            word: sales
            code: { matches: '(a)\\1', in: [] }
            kind: { type: integer }
            big: { max: 9007199254740993 }
          output:
            ssn: { action: mask }
            note: { action: truncate }
            text: { action: redact, matches: 'x*' }
            $: { action: filter }
      - allow: false
    sequence:
      mode: denny
      rules:
        - deny: a
        - deny: [a]
        - allow: [a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a]
  - role: []
  - permissions: []
  - role: r
    roles: [s]
`;
    expect(refusalOf(text, { file: "policy.yaml" }).diagnostics.map(place)).toEqual([
      "1:10-11 unknown_version version 1",
      "3:3-9 unknown_key metadata.expiry expires",
      "6:11-18 bad_tool metadata.tool_groups.odd[0]",
      "6:20-28 group_in_group metadata.tool_groups.odd[1]",
      '8:15-25 unknown_group metadata.data_flow.labels["@nowhere"]',
      "10:11-14 bad_role policies[0].role",
      "12:9-17 empty_group policies[0].permissions[0]",
      "16:22-29 unknown_operator policies[0].permissions[1].conditions.input.limit.minimum min",
      "17:21-30 unknown_operator policies[0].permissions[1].conditions.input.name.minlength minLength",
      '18:13-17 bad_path policies[0].permissions[1].conditions.input["a..b"]',
      '18:26-29 bad_operand policies[0].permissions[1].conditions.input["a..b"].min',
      "19:27-28 bounds_crossed policies[0].permissions[1].conditions.input.range.min",
      "20:19-24 wrong_type policies[0].permissions[1].conditions.input.word",
      "21:30-37 bad_pattern policies[0].permissions[1].conditions.input.code.matches",
      "21:43-45 bad_operand policies[0].permissions[1].conditions.input.code.in",
      "22:27-34 unknown_type policies[0].permissions[1].conditions.input.kind.type int",
      "23:25-41 bad_operand policies[0].permissions[1].conditions.input.big.max",
      "25:28-32 unknown_action policies[0].permissions[1].conditions.output.ssn.action redact",
      "26:29-37 missing_key policies[0].permissions[1].conditions.output.note.action",
      "27:46-50 empty_match policies[0].permissions[1].conditions.output.text.matches",
      '28:26-32 filter_on_root policies[0].permissions[1].conditions.output["$"].action',
      "29:9-1 missing_key policies[0].permissions[2]",
      "31:13-18 unknown_mode policies[0].sequence.mode deny",
      "33:17-18 wrong_type policies[0].sequence.rules[0].deny",
      "34:17-20 too_few_steps policies[0].sequence.rules[1].deny",
      "35:18-69 too_many_steps policies[0].sequence.rules[2].allow",
      "36:11-13 empty_list policies[1].role",
      "37:5-1 missing_key policies[2]",
      "39:5-10 conflicting_keys policies[3].roles",
    ]);
  });

  it("shows the first faults in the message and says how many there are", () => {
    const error = refusalOf(`policies:\n${"  - role: '*'\n".repeat(7)}`, { file: "conf/policy.yaml" });
    expect(error.message).toContain("the policy `conf/policy.yaml` has 7 faults");
    expect(error.message).toContain("--> conf/policy.yaml:2:11");
    expect(error.message).toContain("… and 2 more");
    expect(error.diagnostics).toHaveLength(7);
    expect(error.diagnostics[0]?.file).toBe("conf/policy.yaml");
  });

  it("reports the faults of an object by their paths, without places", () => {
    const [found] = refusalOf({ polices: [] }).diagnostics;
    expect(found).toMatchObject({
      severity: "error",
      code: "unknown_key",
      path: "polices",
      suggestion: "policies",
    });
    expect(found).not.toHaveProperty("line");
  });

  it("gives warnings with their places and loads all the same", () => {
    const { warnings } = load(
      "policies:\n  - role: r\n    permissions: [a]\n    sequence:\n      - deny: [a, b]\n",
    );
    expect(warnings.map(place)).toEqual(["5:19-20 step_not_granted policies[0].sequence[0].deny[1]"]);
    expect(warnings[0]?.severity).toBe("warning");
  });
});

describe("the limits", () => {
  const policy = { metadata: { expires: "2001-01-01" }, policies: [{ role: "r", permissions: ["a", "b"] }] };

  it("come in order: size, faults, tools, expiry", () => {
    const faulty = { ...policy, extra: 1 };
    expect(() => load(faulty, { limits: { maxBundleBytes: 10, maxTools: 1 } })).toThrow(PolicyTooLargeError);
    expect(() => load(faulty, { limits: { maxTools: 1 } })).toThrow(ConfigurationError);
    expect(() => load(policy, { limits: { maxTools: 1 } })).toThrow(TooManyToolsError);
    expect(() => load(policy)).toThrow(BundleExpiredError);
  });

  it("count the bytes of a text in UTF-8 and of an object as compact JSON", () => {
    const text = "metadata: {description: é}\npolicies: []\n";
    const bytes = new TextEncoder().encode(text).length;
    expect(() => load(text, { limits: { maxBundleBytes: bytes } })).not.toThrow();
    expect(() => load(text, { limits: { maxBundleBytes: bytes - 1 } })).toThrow(PolicyTooLargeError);
    const object = { metadata: { description: "é" }, policies: [] };
    expect(() => load(object, { limits: { maxBundleBytes: 47 } })).not.toThrow();
    expect(() => load(object, { limits: { maxBundleBytes: 46 } })).toThrow(PolicyTooLargeError);
  });

  it("are 8 MiB and 10,000 tools", () => {
    expect(() => load(`policies: []\n#${"x".repeat(8 * 1024 * 1024)}`)).toThrow(PolicyTooLargeError);
    const tools = Array.from({ length: 10_000 }, (_, index) => `t${index}`);
    const withTools = (permissions: string[]) => ({ policies: [{ role: "r", permissions }] });
    expect(() => load(withTools(tools))).not.toThrow();
    expect(() => load(withTools([...tools, "p.*"]))).toThrow(TooManyToolsError);
  });

  it("count a small object that holds one part over and over as what it would be in JSON", () => {
    let part: unknown = ["x"];
    for (let level = 0; level < 60; level++) part = [part, part];
    const bomb = { policies: [], part };
    expect(() => load(bomb, { limits: { maxBundleBytes: 10_000 } })).toThrow(PolicyTooLargeError);
  });
});

describe("expiry", () => {
  const load2026 = (expires: unknown) => load({ metadata: { expires }, policies: [] });

  it("is reached at the instant itself", () => {
    const policy = { metadata: { expires: "2026-01-01T00:00:00.500Z" }, policies: [] };
    expect(loadPolicy(policy, { now: NOW + 499 }).expiresAt).toBe(NOW + 500);
    expect(() => loadPolicy(policy, { now: NOW + 500 })).toThrow(BundleExpiredError);
  });

  it.each<[string, string]>([
    ["2027-01-31", "2027-01-31T00:00:00Z"],
    ["2027-01-31T12:30:15", "2027-01-31T12:30:15Z"],
    ["2027-01-31T12:30:15Z", "2027-01-31T12:30:15Z"],
    ["2027-01-31t12:30:15z", "2027-01-31T12:30:15Z"],
    ["2027-01-31 12:30:15+02:00", "2027-01-31T10:30:15Z"],
    ["2027-01-31T23:30:00-01:30", "2027-02-01T01:00:00Z"],
    ["2027-01-31T12:30:15.1239Z", "2027-01-31T12:30:15.123Z"],
    ["2028-02-29", "2028-02-29T00:00:00Z"],
    ["9999-12-31", "9999-12-31T00:00:00Z"],
    ["2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z"],
  ])("reads %s", (expires, instant) => {
    expect(load2026(expires).expiresAt).toBe(Date.parse(instant));
    expect(load(`metadata: {expires: ${expires}}\npolicies: []`).expiresAt).toBe(Date.parse(instant));
  });

  it.each<unknown>([
    "2027-02-29",
    "2027-02-30T00:00:00Z",
    "2027-13-01",
    "2027-00-10",
    "2027-01-31T24:00:00Z",
    "2027-01-31T12:60:00Z",
    "2027-01-31T12:30:61Z",
    "2027-01-31T12:30:60Z",
    "2027-01-31T12:30Z",
    "2027-01-31T12:30:15+0200",
    "2027-01-31T12:30:15+24:00",
    "2027-01-31Z",
    "27-01-31",
    "+002027-01-31",
    "2027-1-31",
    "31.01.2027",
    "tomorrow",
    "2027-01-31T00:00:00Z ",
    "",
    1_999_999_999,
    null,
    true,
    ["2027-01-31"],
    {},
    Number.POSITIVE_INFINITY,
    2n ** 70n,
  ])("cannot read %s, and counts it as expired", (expires) => {
    expect(() => load2026(expires)).toThrow(BundleExpiredError);
  });
});

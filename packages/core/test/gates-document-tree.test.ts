import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideSafe } from "../src/contract/decide-safe.js";
import { decideCall } from "../src/decide-call.js";
import { checkDocument } from "../src/document/check-document.js";
import type { PolicyDocument } from "../src/document/document.js";
import { describeDigest, policyTree, type TreeNode, treePayload } from "../src/gates.js";
import { compilePlan } from "../src/plan/plan.js";
import { Session } from "../src/session.js";

function documentOf(policy: unknown): PolicyDocument {
  const { document, faults } = checkDocument(policy);
  if (document === undefined) throw new Error(JSON.stringify(faults));
  return document;
}

const BASE = {
  metadata: {
    name: "shop",
    tool_groups: { reads: ["db.read", "db.list"] },
    data_flow: { labels: { "@reads": ["PII"] }, blocks: { PII: ["post"] } },
  },
  policies: [
    {
      role: ["clerk", "boss"],
      permissions: [
        "@reads",
        { tool: "post", conditions: { input: { size: { max: 5 } }, output: { ssn: { action: "redact" } } } },
      ],
      sequence: [{ deny: ["@reads", "post"], reason: "leak" }],
    },
    { role: "guest", permissions: [{ tool: "post", allow: false }] },
  ],
};

const digestOf = (policy: unknown): string =>
  describeDigest(policyTree(documentOf(policy), { policyVersion: "1" }));

describe("the tree of a policy document", () => {
  it("has the document's name, and the beginning of its digest for a version", () => {
    const tree = policyTree(documentOf(BASE));
    expect(tree.policyId).toBe("shop");
    expect(tree.policyVersion).toMatch(/^sha256:[0-9a-f]{16}$/);
    expect(policyTree(documentOf({ policies: [] })).policyId).toBe("unnamed");
  });

  it("is the same for documents that differ only in how they are written", () => {
    const other = structuredClone(BASE);
    other.metadata.tool_groups.reads.reverse();
    other.policies[0]?.permissions.reverse();
    Object.assign(other.policies[0] ?? {}, { role: ["boss", "clerk"] });
    other.policies.reverse();
    expect(digestOf(other)).toBe(digestOf(BASE));
  });

  it("is another one as soon as any rule is", () => {
    const changes: ((policy: typeof BASE) => void)[] = [
      (policy) => policy.metadata.tool_groups.reads.push("db.dump"),
      (policy) => Object.assign(policy.metadata.data_flow.labels, { post: ["SENT"] }),
      (policy) => Object.assign(policy.metadata, { expires: "2030-01-01" }),
      (policy) => Object.assign(policy.policies[1] ?? {}, { permissions: ["other"] }),
      (policy) => Object.assign(policy.policies[0]?.permissions[1] ?? {}, { conditions: {} }),
      (policy) =>
        Object.assign(policy.policies[0]?.permissions[1] ?? {}, {
          conditions: { input: { size: { max: 5 } }, output: { ssn: { action: "filter" } } },
        }),
      (policy) => Object.assign(policy.policies[0] ?? {}, { sequence: [{ deny: ["post", "@reads"] }] }),
    ];
    const digests = changes.map((change) => {
      const changed = structuredClone(BASE);
      change(changed);
      return digestOf(changed);
    });
    expect(new Set([digestOf(BASE), ...digests]).size).toBe(changes.length + 1);
  });

  it("shows its layers to a viewer", () => {
    const { tree } = treePayload(policyTree(documentOf(BASE)));
    const labels: string[] = [];
    const walk = (node: TreeNode): void => {
      if (node.label !== null) labels.push(node.label);
      node.children.forEach(walk);
    };
    walk(tree);
    expect(labels).toEqual([
      "policy state",
      "context",
      "inputs",
      "missing policy",
      "permission",
      "boss",
      "clerk",
      "sequence",
      "boss",
      "clerk",
      "data flow",
    ]);
  });

  it("answers `evaluation_error` where the inputs lack what a rule needs", () => {
    const ask = (extensions: object): string =>
      decideSafe(policyTree(documentOf(BASE)), "t", {
        principal_id: "ann",
        capability: "post",
        extensions: { roles: ["clerk"], history: [], facts: [], arguments: [{ size: 1 }], ...extensions },
      }).reasonCode;
    expect(ask({})).toBe("ok");
    expect(ask({ roles: "clerk" })).toBe("evaluation_error");
    expect(ask({ history: null })).toBe("evaluation_error");
    expect(ask({ facts: [1], history: null })).toBe("evaluation_error");
    expect(ask({ arguments: { $digest: "0".repeat(64) } })).toBe("evaluation_error");
    expect(ask({ arguments: [{ size: 6 }] })).toBe("input_validation");
    expect(ask({ policy_state: "expired" })).toBe("policy_expired");
    expect(ask({ policy_state: "unavailable" })).toBe("policy_unavailable");
    expect(ask({ policy_state: "odd" })).toBe("policy_unavailable");
  });
});

const TOOLS = ["a", "b", "c.x", "c.y"];
const reference = fc.constantFrom(...TOOLS, "*", "*", "c.*", "@some");
const role = fc.constantFrom("r1", "r2", "r3");
const rule = fc.oneof(
  fc.record({ deny: fc.array(reference, { minLength: 2, maxLength: 3 }) }),
  fc.record({ allow: fc.array(reference, { minLength: 1, maxLength: 4 }) }),
);
const permission = fc.oneof(
  { weight: 4, arbitrary: reference },
  fc.record({ tool: reference, allow: fc.constant(false) }),
  fc.record({
    tool: reference,
    conditions: fc.constantFrom({ input: { n: { max: 3 } } }, { input: { n: { required: true } } }),
  }),
);
const policy = fc.record({
  metadata: fc.record({
    tool_groups: fc.constant({ some: ["a", "c.*"] }),
    data_flow: fc.constantFrom<object>({}, { labels: { a: ["L"] }, blocks: { L: ["b", "c.x"] } }),
  }),
  policies: fc.array(
    fc.record(
      {
        role,
        permissions: fc.array(permission, { minLength: 1, maxLength: 4 }),
        sequence: fc.oneof(
          fc.array(rule, { maxLength: 3 }),
          fc.record({ mode: fc.constantFrom("allow", "deny"), rules: fc.array(rule, { maxLength: 3 }) }),
        ),
      },
      { requiredKeys: ["role", "permissions"] },
    ),
    { minLength: 1, maxLength: 4 },
  ),
});
const calls = fc.array(fc.tuple(fc.constantFrom(...TOOLS, "d"), fc.constantFrom({}, { n: 3 }, { n: 4 })), {
  minLength: 2,
  maxLength: 10,
});

describe("the tree of any policy", () => {
  it("decides calls made one after the other as the guard does", () => {
    fc.assert(
      fc.property(
        policy,
        fc.uniqueArray(role, { minLength: 1, maxLength: 3 }),
        calls,
        (written, roles, made) => {
          const document = checkDocument(written).document;
          fc.pre(document !== undefined);
          const plan = compilePlan(document);
          const tree = policyTree(document, { policyVersion: "1" });
          const session = new Session();
          for (const [tool, argument] of made) {
            const call = { tool, session, enclosing: 0, names: undefined, args: [argument] };
            const { decision, entry } = decideCall("current", plan.view(roles), call);
            const { history } = session;
            const extensions = { roles, history, arguments: [argument] };
            for (const known of [{}, { facts: [...session.facts] }]) {
              const inputs = { principal_id: "u", capability: tool, extensions: { ...extensions, ...known } };
              const { outcome, reasonCode } = decideSafe(tree, "t", inputs);
              expect([outcome, reasonCode]).toEqual([decision.outcome.toUpperCase(), decision.reason]);
            }
            if (decision.outcome === "deny") continue;
            session.addFacts(entry?.labels ?? []);
            session.end(session.begin(tool, 0), true);
          }
        },
      ),
      { numRuns: 600 },
    );
  });
});

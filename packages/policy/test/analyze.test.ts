import { describe, expect, it } from "vitest";
import { type Answer, analysisText, analyzePolicy, type Question } from "../src/analyze.js";
import { loadPolicy } from "../src/load-policy.js";

const load = (policy: object) => loadPolicy(policy, { now: 0 });
const groups = { sensitive: ["db.users", "secrets.get"], egress: ["web.post", "mail.send"] };
const rule = { deny: ["@sensitive", "@egress"] };

/** A policy of one role. */
const policyOf = (permissions: readonly unknown[], sequence: unknown, metadata: object = {}) =>
  load({ metadata: { tool_groups: groups, ...metadata }, policies: [{ role: "r", permissions, sequence }] });

function only(policy: ReturnType<typeof load>, question: Question, options = {}): Answer {
  const [answer, ...others] = analyzePolicy(policy, question, options).answers;
  if (answer === undefined || others.length > 0) throw new Error("not one answer");
  return answer;
}
const pathOf = (answer: Answer) => ("path" in answer ? answer.path.map(({ tool }) => tool) : undefined);
const question = { from: "@sensitive", to: "@egress" };

describe("an answer", () => {
  it("proves that a deny pattern closes every way, for calls in any interleaving", () => {
    const answer = only(policyOf(["@sensitive", "@egress", "clean"], [rule]), question);
    expect(answer).toMatchObject({
      answer: "cannot",
      covers: "any interleaving",
      closedBy: [{ layer: "sequence", rule: "policies[0].sequence[0]" }],
    });
  });

  it("gives the shortest way through an excuse, with a script that is confirmed", () => {
    const policy = policyOf(
      ["@sensitive", "@egress", "clean"],
      [rule, { allow: ["db.users", "clean", "mail.send"] }],
    );
    const answer = only(policy, question);
    expect(answer.answer).toBe("can");
    expect(pathOf(answer)).toEqual(["db.users", "clean", "mail.send"]);
  });

  it("is only possible where no arguments can be made up, or the guard does not confirm", () => {
    const never = {
      tool: "web.post",
      conditions: { input: { n: { required: true, in: ["a"], matches: "b+" } } },
    };
    expect(only(policyOf(["@sensitive", never], []), question).answer).toBe("possible");
    const unconfirmed = only(policyOf(["@sensitive", "@egress"], []), question, { confirm: () => false });
    expect(unconfirmed.answer).toBe("possible");
  });

  it("makes up arguments that the input rules take", () => {
    const bounded = { tool: "web.post", conditions: { input: { n: { required: true, min: 3, max: 9 } } } };
    const answer = only(policyOf(["db.users", bounded], []), question);
    expect(answer).toMatchObject({ answer: "can", path: [{}, { args: { n: 3 } }] });
  });

  it("prefers a tool that needs no arguments among those that no rule tells apart", () => {
    const bounded = {
      tool: "mail.send",
      conditions: { input: { n: { required: true, in: ["a"], matches: "b+" } } },
    };
    expect(pathOf(only(policyOf(["db.users", bounded, "web.post"], []), question))).toEqual([
      "db.users",
      "web.post",
    ]);
  });

  it("takes a failed call into a path where one that returned would close it", () => {
    const rules = {
      mode: "deny",
      rules: [{ allow: ["db.users", "clean"] }, { allow: ["mail.send", "clean"] }],
    };
    const answer = only(policyOf(["db.users", "mail.send", "clean"], rules), question);
    expect(answer).toMatchObject({ answer: "can", path: [{ tool: "db.users", ends: "failed" }, {}] });
  });

  it("says that a proof for an allow list covers only calls one after another where overlapping ones may do more", () => {
    const rules = {
      mode: "deny",
      rules: [{ allow: ["db.users", "mail.send"] }, { allow: ["x", "y", "web.post"] }],
    };
    const policy = policyOf(["db.users", "mail.send", "x", "y", "web.post"], rules);
    expect(only(policy, { from: "y", to: "mail.send" })).toMatchObject({
      answer: "cannot",
      covers: "calls one after another",
    });
    const apart = policyOf(["db.users", "x"], { mode: "deny", rules: [{ allow: ["x", "x"] }] });
    expect(only(apart, { from: "x", to: "db.users" })).toMatchObject({ covers: "any interleaving" });
  });

  it("says that it stopped, and where", () => {
    const policy = policyOf(
      ["@sensitive", "@egress", "clean"],
      [rule, { allow: ["db.users", "clean", "mail.send"] }],
    );
    expect(only(policy, question, { maxStates: 1 })).toMatchObject({ answer: "stopped", why: "states" });
  });

  it("refuses a role, a group and a tool that the policy does not know", () => {
    const policy = policyOf(["db.users"], []);
    expect(() => analyzePolicy(policy, { roles: ["x"], to: "db.users" })).toThrow("no role `x`");
    expect(() => analyzePolicy(policy, { to: "@x" })).toThrow("no group `@x`");
    expect(() => analyzePolicy(policy, { to: "db.usres" })).toThrow("nothing in the policy names `db.usres`");
    expect(() => analyzePolicy(policy, { from: "db.users" })).toThrow("give `to` as well");
  });
});

describe("the findings", () => {
  const policy = load({
    metadata: {
      tool_groups: groups,
      data_flow: {
        labels: { "secrets.get": "SECRET", a: "A" },
        blocks: { SECRET: "@egress", A: "b", GONE: "web.post" },
      },
    },
    policies: [
      {
        role: "analyst",
        permissions: ["@sensitive", "@egress"],
        sequence: [rule, { deny: ["db.users", "web.post"] }, { allow: ["db.users", "audit", "mail.send"] }],
      },
      { role: "clerk", permissions: ["mail.send", { tool: "mail.send", allow: false }, "@sensitive"] },
      {
        role: "listed",
        permissions: ["a", "b", "c"],
        sequence: { mode: "deny", rules: [{ allow: ["a", "b"] }] },
      },
      { role: "admin", permissions: ["@egress", "secrets.get", { tool: "payroll", allow: false }] },
    ],
  });
  const { blocks, findings, unfinished } = analyzePolicy(policy);
  const about = (kind: string) => findings.filter((it) => it.kind === kind);

  it("say for whom a block stops anything", () => {
    expect(blocks).toMatchObject([
      { label: "SECRET", stops: ["admin"], idle: ["analyst", "clerk", "listed"] },
      { label: "A", stops: ["listed"] },
      { label: "GONE", stops: [] },
    ]);
    expect(about("idle_block")).toMatchObject([{ label: "GONE", certain: true }]);
  });

  it("name rules that decide nothing, permissions that do nothing, and tools that nobody can call", () => {
    expect(about("redundant_deny")).toMatchObject([{ rule: "policies[0].sequence[1]", roles: ["analyst"] }]);
    expect(about("dead_allow")).toMatchObject([{ rule: "policies[0].sequence[2]", scope: "any user" }]);
    expect(about("unreachable_sequence")).toMatchObject([{ rule: "policies[2].sequence.rules[0]" }]);
    expect(about("shadowed_permission")).toMatchObject([{ rule: "policies[1].permissions[0]" }]);
    expect(about("idle_forbid")).toMatchObject([{ rule: "policies[3].permissions[2]" }]);
    expect(about("unreachable_tool").map(({ tool }) => tool)).toEqual(["audit", "b", "c", "payroll"]);
    expect(unfinished).toEqual([]);
  });

  it("do not change from one analysis to the next, and are plain data", () => {
    expect(JSON.parse(JSON.stringify(analyzePolicy(policy)))).toEqual(analyzePolicy(policy));
    expect(analysisText(analyzePolicy(policy))).toContain("nobody can call `c`");
  });
});

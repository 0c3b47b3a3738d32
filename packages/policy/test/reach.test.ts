import { compilePlan, decideCall, Session } from "d2-core";
import { describe, expect, it } from "vitest";
import { generateCase } from "../../../test/reference/generator.js";
import { loadPolicy } from "../src/load-policy.js";
import { blockingLabels, referenceMatcher, toolUniverse } from "../src/reach/tool-universe.js";
import { Walk, type WalkState } from "../src/reach/walk.js";

const load = (policy: object) => loadPolicy(policy, { now: 0 });
const ids = (tools: readonly { tool: string }[]) => tools.map(({ tool }) => tool);

describe("the universe of tools", () => {
  const { document } = load({
    metadata: {
      tool_groups: { web: ["net/post", "net/*"] },
      data_flow: { labels: { "db.read": "PII" }, blocks: { PII: "mail.send" } },
    },
    policies: [
      {
        role: "a",
        permissions: ["db.*", "@web", "db.deep.*"],
        sequence: [{ deny: ["db.read", "log.write"] }],
      },
    ],
  });

  it("holds every id that is named anywhere, then one made-up tool a pattern", () => {
    expect(toolUniverse([document])).toEqual([
      { tool: "db.read", stands: undefined },
      { tool: "log.write", stands: undefined },
      { tool: "mail.send", stands: undefined },
      { tool: "net/post", stands: undefined },
      { tool: "db.other", stands: "db.*" },
      { tool: "db.deep.other", stands: "db.deep.*" },
      { tool: "net/other", stands: "net/*" },
    ]);
  });

  it("makes up ids that nothing names", () => {
    expect(ids(toolUniverse([document], ["*", "other", "db.other"]))).toEqual([
      ...["db.other", "db.read", "log.write", "mail.send", "net/post", "other"],
      ...["other2", "db.other2", "db.deep.other", "net/other"],
    ]);
  });

  it("has for every other tool one that all references treat alike", () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const { document: random } = load(generateCase(seed).policy);
      const universe = toolUniverse([random], ["*"]);
      const matcher = referenceMatcher(random);
      const references = [
        ...random.policies.flatMap(({ permissions, sequence }) => [
          ...permissions.map(({ tool }) => tool),
          ...(sequence?.rules ?? []).flatMap(({ steps }) => steps),
        ]),
        ...random.toolGroups.map(({ name }) => `@${name}`),
      ];
      const row = (tool: string) => references.map((it) => matcher(it).matches(tool)).join();
      const rows = new Set(universe.map(({ tool }) => row(tool)));
      for (const tool of ["db.unheard", "net/of.it", "mail:x", "unheard", "db", "net/get"]) {
        expect(rows).toContain(row(tool));
      }
    }
  });
});

describe("a walk", () => {
  it("meets a state again as the same object", () => {
    const { document } = load({
      policies: [{ role: "r", permissions: ["a", "b", "c"], sequence: [{ deny: ["a", "b"] }] }],
    });
    const walk = new Walk(compilePlan(document), ["r"]);
    const after = walk.released(walk.initial, "a");
    expect(walk.released(after, "a")).toBe(after);
    expect(walk.failed(walk.initial, "a")).toBe(after);
    expect(walk.released(walk.initial, "c")).toBe(walk.initial);
    expect(walk.denial(after, "b")?.reason).toBe("sequence_violation");
    expect(walk.denial(after, "z")?.reason).toBe("missing_policy");
  });

  it("remembers only the labels that it is told to", () => {
    const { document } = load({
      metadata: { data_flow: { labels: { a: ["X", "Y"] }, blocks: { X: "b" } } },
      policies: [{ role: "r", permissions: ["a", "b"] }],
    });
    const walk = new Walk(compilePlan(document), ["r"], { labels: blockingLabels([document]) });
    const after = walk.released(walk.initial, "a");
    expect(after.facts).toEqual(["X"]);
    expect(walk.denial(after, "b")).toMatchObject({ reason: "data_flow_violation", detail: "X" });
  });

  it("answers as the guard's own decision does, on random policies and histories", () => {
    let denied = 0;
    for (let seed = 0; seed < 400; seed += 1) {
      const one = generateCase(seed);
      const { document } = load(one.policy);
      const plan = compilePlan(document);
      const view = plan.view(one.user.roles);
      const walk = new Walk(plan, one.user.roles, { labels: blockingLabels([document]) });
      const session = new Session();
      let state: WalkState = walk.initial;
      for (const event of one.script) {
        if (event.do !== "start") continue;
        const { tool } = event;
        const call = { tool, session, enclosing: 0, names: undefined, args: [event.args] };
        const { decision, entry } = decideCall("current", view, call);
        if (decision.layer === "input") continue;
        expect(walk.denial(state, tool)).toEqual(decision.outcome === "deny" ? decision : undefined);
        if (decision.outcome === "deny") denied += 1;
        if (decision.outcome === "deny" || entry === undefined) continue;
        const released = event.id % 3 !== 0;
        const id = session.begin(tool, 0);
        session.addFacts(entry.labels);
        session.end(id, released);
        state = released ? walk.released(state, tool) : walk.failed(state, tool);
      }
    }
    expect(denied).toBeGreaterThan(400);
  });

  it("finds the same kind for tools that no state tells apart", () => {
    const { document } = load({
      metadata: { tool_groups: { g: ["a", "b"] }, data_flow: { labels: { c: "L" }, blocks: { L: "@g" } } },
      policies: [{ role: "r", permissions: ["@g", "c"], sequence: [{ deny: ["@g", "c"] }] }],
    });
    const walk = new Walk(compilePlan(document), ["r"]);
    expect(walk.kind("a")).toBe(walk.kind("b"));
    expect(walk.kind("a")).not.toBe(walk.kind("c"));
    expect(walk.kind("x")).toBe(walk.kind("y"));
  });
});

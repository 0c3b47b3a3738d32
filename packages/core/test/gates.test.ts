import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeTagged } from "../src/canonical/tagged.js";
import { decideSafe } from "../src/contract/decide-safe.js";
import { PolicyContext } from "../src/contract/policy-context.js";
import {
  allow,
  answer,
  anyOf,
  argument,
  argumentsKnown,
  bound,
  chain,
  contains,
  dataFlow,
  deny,
  describeDigest,
  type Gate,
  type GateVerdict,
  InvalidGateError,
  invert,
  match,
  oneOf,
  RootPolicy,
  sequence,
  tenant,
  textList,
  tool,
  treePayload,
} from "../src/gates.js";

const ask = (gate: Gate, inputs: unknown): string =>
  gate.evaluate(new PolicyContext("tenant-1", inputs)).reasonCode;
const onCall = (capability: string, extensions: object) => ({ capability, extensions });

describe("the description of a gate", () => {
  it("does not depend on the order of an allow list, or on naming one twice", () => {
    const lists = fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 8 });
    const orders = lists.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: 2 * list.length })),
    );
    fc.assert(
      fc.property(orders, ([list, other]) => {
        for (const gate of [
          (texts: string[]) => oneOf("provider", texts),
          (texts: string[]) => tenant(texts),
        ]) {
          expect(describeDigest(gate(list))).toBe(describeDigest(gate(other)));
        }
      }),
      { numRuns: 200 },
    );
    expect(describeDigest(tool(["a", "b.*"]))).toBe(describeDigest(tool(["b.*", "a", "b.*"])));
    expect(describeDigest(dataFlow({ blocks: { A: ["x", "y"], B: ["z"] } }))).toBe(
      describeDigest(dataFlow({ blocks: { B: ["z"], A: ["y", "x"] } })),
    );
    expect(describeDigest(argument("a", { min: 1, max: 2 }))).toBe(
      describeDigest(argument("a", { max: 2, min: 1 })),
    );
  });

  it("depends on everything else: order of gates, parameters, labels, modes", () => {
    const gates = [
      chain([allow(), deny()]),
      chain([deny(), allow()]),
      allow(),
      allow({ label: "" }),
      match("k", 1),
      match("k", true),
      match("k", "1"),
      argument("a", { max: 1 }),
      argument("a", { max: 1 }, { exact: true }),
      argument("a", { max: 1.5 }),
      sequence([{ deny: ["a", "b"] }]),
      sequence([{ deny: ["b", "a"] }]),
      sequence([{ allow: ["a", "b"] }]),
      sequence([{ allow: ["a", "b"] }], { mode: "deny" }),
      answer(deny(), { deny: "x" }),
      answer(deny(), { message: "x" }),
    ];
    expect(new Set(gates.map(describeDigest)).size).toBe(gates.length);
  });

  it("is frozen, and stays what it was when the list it was made of changes", () => {
    const allowed = ["a"];
    const gate = oneOf("provider", allowed);
    const before = describeDigest(gate);
    allowed.push("b");
    expect(describeDigest(gate)).toBe(before);
    expect(ask(gate, { provider: "b" })).toBe("gate.one_of.mismatch:provider");
    expect(Reflect.set(gate.describe(), "key", "other")).toBe(false);
  });

  it("may stand for the gate itself", () => {
    const gate = chain([match("capability", "chat"), invert(deny())]);
    expect(treePayload(gate.describe())).toEqual(treePayload(gate));
    expect(treePayload(gate).tree.children.map(({ path }) => path)).toEqual([
      "root.gates[0]",
      "root.gates[1]",
    ]);
  });
});

describe("gates that are not sound", () => {
  it.each<[string, () => Gate]>([
    ["a label that is no string", () => allow({ label: 1 as unknown as string })],
    ["a lone string as a list", () => oneOf("k", "abc" as unknown as string[])],
    ["an ill-formed text", () => tenant(["\ud800"])],
    ["a fraction as a bound", () => bound("k", 0.5, 1)],
    ["a boolean as a bound", () => bound("k", false as unknown as number, 1)],
    ["null to match", () => match("k", null as unknown as string)],
    ["a function for a gate", () => chain([(() => allow()) as unknown as Gate])],
    ["an unknown operator", () => argument("a", { maximum: 1 })],
    ["an operand of the wrong kind", () => argument("a", { max: "1" })],
    ["no operator", () => argument("a", {})],
    ["an empty part of a path", () => argument("a..b", { max: 1 })],
    ["a group as a tool", () => tool(["@group"])],
    ["no tool", () => tool([])],
    ["one step of a deny", () => sequence([{ deny: ["a"] }])],
    ["too many steps", () => sequence([{ allow: new Array<string>(17).fill("a") }])],
    ["an empty word", () => answer(allow(), { allow: "" })],
  ])("are refused: %s", (_, make) => {
    expect(make).toThrow(InvalidGateError);
  });

  it("cannot turn an odd answer into an ALLOW by inverting it", () => {
    for (const odd of [undefined, null, {}, Promise.resolve(), { outcome: "deny" }, { outcome: true }]) {
      const gate: Gate = { evaluate: () => odd as GateVerdict, describe: () => deny().describe() };
      for (const root of [gate, invert(gate), chain([gate]), anyOf([gate]), answer(gate, { allow: "ok" })]) {
        const policy = new RootPolicy({ policyId: "p", policyVersion: "1", root });
        expect(decideSafe(policy, "t", {}).reasonCode).toBe("evaluation_error");
      }
    }
  });
});

describe("`contains` and `textList`", () => {
  const roles = contains("extensions.roles", "admin");
  it("look into a list at a path, and keep it out of the detail", () => {
    expect(ask(roles, { extensions: { roles: ["user", "admin"] } })).toBe("gate.allow");
    const verdict = roles.evaluate(new PolicyContext("t", { extensions: { roles: ["user"] } }));
    expect(verdict.reasonCode).toBe("gate.contains.mismatch:extensions.roles");
    expect(verdict.detail).toEqual({ path: "extensions.roles", value: "admin" });
  });

  it("tell what is missing from what is no list", () => {
    expect(ask(roles, {})).toBe("gate.contains.missing:extensions.roles");
    expect(ask(roles, { extensions: { roles: "admin" } })).toBe("gate.contains.not_list:extensions.roles");
    expect(ask(textList("extensions.roles"), { extensions: { roles: [1] } })).toBe(
      "gate.text_list.mismatch:extensions.roles",
    );
    expect(ask(textList("extensions.roles"), { extensions: { roles: [] } })).toBe("gate.allow");
  });

  it("reach nothing that a mapping only inherits", () => {
    expect(ask(contains("extensions.__proto__.x", "a"), { extensions: {} })).toBe(
      "gate.contains.missing:extensions.__proto__.x",
    );
  });
});

describe("`argument`", () => {
  const limit = argument("filter.limit", { type: "int", max: 10 });
  const call = (args: unknown) => onCall("t", { arguments: encodeTagged(args) });

  it("judges a nested argument as the policy language does", () => {
    expect(ask(limit, call([{ filter: { limit: 10 } }]))).toBe("gate.allow");
    expect(ask(limit, call([{ filter: { limit: 11 } }]))).toBe("gate.argument.violated:filter.limit");
    expect(ask(limit, call([{ filter: { limit: 0.5 } }]))).toBe("gate.argument.violated:filter.limit");
    expect(ask(limit, call([{ filter: [{ limit: 1 }, { limit: 99 }] }]))).toBe(
      "gate.argument.violated:filter.limit",
    );
    expect(ask(limit, call([{}]))).toBe("gate.allow");
    expect(ask(limit, call({ filter: { limit: 11 } }))).toBe("gate.argument.violated:filter.limit");
    expect(ask(limit, call([1]))).toBe("gate.argument.violated:filter.limit");
  });

  it("says which operators were broken, and nothing of the value", () => {
    const verdict = limit.evaluate(new PolicyContext("t", call([{ filter: { limit: 1234.5 } }])));
    expect(verdict.detail).toEqual({ path: "filter.limit", operators: ["max", "type"] });
  });

  it("denies where the arguments are missing, unreadable or withheld", () => {
    expect(ask(limit, onCall("t", {}))).toBe("gate.argument.missing:filter.limit");
    expect(ask(limit, onCall("t", { arguments: { $odd: 1 } }))).toBe("gate.argument.unreadable:filter.limit");
    const hidden = { $digest: "0".repeat(64) };
    expect(ask(limit, onCall("t", { arguments: hidden }))).toBe("gate.argument.withheld:filter.limit");
    const known = argumentsKnown(["filter.limit"]);
    expect(ask(known, onCall("t", { arguments: [{ filter: hidden }] }))).toBe(
      "gate.arguments_known.withheld",
    );
    expect(ask(known, onCall("t", { arguments: [{ other: hidden }] }))).toBe("gate.allow");
  });
});

describe("`sequence` and `dataFlow`", () => {
  const rule = sequence([
    { deny: [["db.*", "vault"], "post"], reason: "leak" },
    { allow: ["db.*", "mask", "post"] },
  ]);

  it("deny what may not follow the history, and excuse what an allow pattern holds", () => {
    const after = (...history: string[]) => ask(rule, onCall("post", { history }));
    expect(after()).toBe("gate.allow");
    expect(after("db.read")).toBe("gate.sequence.violation");
    expect(after("db.read", "mask")).toBe("gate.allow");
    expect(after("db.read", "mask", "db.read")).toBe("gate.sequence.violation");
    expect(after("vault", "mask")).toBe("gate.sequence.violation");
    const verdict = rule.evaluate(new PolicyContext("t", onCall("post", { history: ["vault"] })));
    expect(verdict.detail).toEqual({ rule: "rules[0]", reason: "leak" });
    expect(ask(rule, onCall("post", {}))).toBe("gate.sequence.missing");
  });

  it("permit only what is listed where the mode says so", () => {
    const listed = sequence([{ allow: ["a", "b"] }], { mode: "deny" });
    expect(ask(listed, onCall("a", { history: [] }))).toBe("gate.allow");
    expect(ask(listed, onCall("b", { history: [] }))).toBe("gate.sequence.violation");
    expect(ask(listed, onCall("b", { history: ["a"] }))).toBe("gate.allow");
    expect(ask(sequence([], { mode: "deny" }), onCall("a", { history: [] }))).toBe("gate.sequence.violation");
  });

  it("block by the facts that are given, or else by those of the history", () => {
    const flow = dataFlow({ labels: { PII: ["db.*"] }, blocks: { PII: ["post"] } });
    expect(ask(flow, onCall("post", { facts: ["PII"] }))).toBe("gate.data_flow.violation");
    expect(ask(flow, onCall("post", { facts: [], history: ["db.read"] }))).toBe("gate.allow");
    expect(ask(flow, onCall("post", { history: ["db.read"] }))).toBe("gate.data_flow.violation");
    expect(ask(flow, onCall("other", {}))).toBe("gate.allow");
    expect(ask(flow, onCall("post", {}))).toBe("gate.data_flow.missing");
  });
});

describe("`answer`", () => {
  it("puts text inputs into its message, once", () => {
    const root = answer(deny(), { deny: "no", message: "{capability} of {input_bytes} of {none}" });
    const policy = new RootPolicy({ policyId: "p", policyVersion: "1", root });
    const { reasonCode, reasonMessage } = decideSafe(policy, "t", {
      capability: "{provider}",
      provider: "x",
    });
    expect([reasonCode, reasonMessage]).toEqual(["no", "{provider} of {input_bytes} of {none}"]);
  });
});

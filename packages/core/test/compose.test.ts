import { describe, expect, it } from "vitest";
import type { ComposeConfig } from "../src/compose/compose-config.js";
import { composePolicy, InvalidComposeConfigError, POLICY, POLICY_CONFIG } from "../src/compose.js";
import { decideSafe } from "../src/contract/decide-safe.js";
import { describeDigest, treePayload } from "../src/gates.js";

const CHAT = { principal_id: "p", intent_type: "i", capability: "chat", model_id: "gpt-4o-mini" };
const codeOf = (policy: typeof POLICY, inputs: object): string =>
  decideSafe(policy, "t", { ...CHAT, ...inputs }).reasonCode;

describe("the starter pack", () => {
  it("has a default configuration that nobody can change", () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== "object" ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(POLICY_CONFIG)).toBe(true);
    expect(describeDigest(composePolicy(POLICY_CONFIG))).toBe(describeDigest(POLICY));
  });

  it("reads its configuration once", () => {
    const models = ["m"];
    const config = { capabilities: { default: ["chat"] }, models: { per_capability: { chat: models } } };
    const policy = composePolicy(config);
    models.push("gpt-4o-mini");
    expect(codeOf(policy, {})).toBe("model.denied");
    expect(codeOf(policy, { model_id: "m" })).toBe("ok");
  });

  it("has another digest for another configuration, but not for another order in it", () => {
    const changed = (change: ComposeConfig): string =>
      describeDigest(composePolicy({ ...POLICY_CONFIG, ...change }));
    const digests = [
      describeDigest(POLICY),
      changed({ caps: { max_output_tokens: 1 } }),
      changed({ risk: { override_tag: "other" } }),
      changed({ risk: { privileged_principals: ["root"] } }),
      changed({ capabilities: { default: ["search"] } }),
      changed({ capabilities: { default: ["chat"], per_workspace: { w: [] } } }),
      changed({ models: {} }),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    const lists = (first: string, second: string): ComposeConfig => ({
      capabilities: { default: [first, second], per_workspace: { [first]: ["x"], [second]: ["y", "x"] } },
    });
    expect(changed(lists("b", "a"))).toBe(
      changed({
        capabilities: { default: ["a", "b"], per_workspace: { a: ["x", "y"], b: ["x"] } },
      }),
    );
  });

  it("shows its five gates", () => {
    const { tree } = treePayload(POLICY);
    const gates = tree.children[0]?.children[0]?.children ?? [];
    expect(gates.map(({ label }) => label)).toEqual(["admission", "capability", "model", "cost", "risk"]);
  });

  it("denies every capability, caps nothing and excuses nobody where the configuration is silent", () => {
    expect(codeOf(composePolicy({}), {})).toBe("capability.denied");
    const open = composePolicy({
      capabilities: { default: ["chat"] },
      models: { per_capability: { chat: ["gpt-4o-mini"] } },
    });
    expect(codeOf(open, { input_bytes: 10 ** 12, provider: "any" })).toBe("ok");
    expect(codeOf(open, { risk_tier: "high", request_tags: ["override_ack"] })).toBe(
      "risk.high_requires_override",
    );
  });

  it("takes names such as `__proto__` and `constructor` for names", () => {
    const config = JSON.parse('{"capabilities": {"default": ["constructor", "toString"]}, "models": {}}');
    expect(codeOf(composePolicy(config), { capability: "constructor" })).toBe("model.denied");
    expect(codeOf(composePolicy(config), { capability: "__proto__" })).toBe("capability.denied");
    expect(codeOf(POLICY, { workspace_id: "__proto__" })).toBe("ok");
    const own = JSON.parse('{"capabilities": {"default": ["chat"], "per_workspace": {"__proto__": []}}}');
    expect(codeOf(composePolicy(own), { workspace_id: "__proto__" })).toBe("capability.denied");
  });

  it.each([
    [{ cap: {} }],
    [{ caps: { max_tokens: 1 } }],
    [{ caps: { max_output_tokens: "8192" } }],
    [{ caps: { max_output_tokens: true } }],
    [{ caps: { max_output_tokens: -1 } }],
    [{ caps: { max_output_tokens: 1.5 } }],
    [{ capabilities: [] }],
    [{ capabilities: { default: "chat" } }],
    [{ capabilities: { default: [1] } }],
    [{ models: { per_capability: { chat: [null] } } }],
    [{ risk: { override_tag: 1 } }],
    [{ risk: { privileged_principals: "root" } }],
    [new Map()],
    [Object.defineProperty({}, "caps", { get: () => ({}), enumerable: true })],
  ])("refuses the configuration %j", (config) => {
    expect(() => composePolicy(config as ComposeConfig)).toThrow(InvalidComposeConfigError);
  });
});

import { createRequire } from "node:module";
import { PolicyEngine } from "@microsoft/agent-governance-sdk";
import { newEnforcer, newModelFromString, StringAdapter } from "casbin";
import type { Figure } from "../figure.js";
import { ROLE, ROLE_TOOLS, shuffled } from "../policies.js";
import { timeAsyncSideBySide, timeSideBySide } from "../timing.js";

// Its entry for `import` needs a flag on Node 20 that only this file would need.
const cedar: typeof import("@cedar-policy/cedar-wasm/nodejs") = createRequire(import.meta.url)(
  "@cedar-policy/cedar-wasm/nodejs",
);

const ORDER = shuffled(4096, 480);
const OWN = ROLE_TOOLS.find(([role]) => role === ROLE)?.[1] ?? [];

const MODEL = `
[request_definition]
r = sub, obj
[policy_definition]
p = sub, obj
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj
`;

/** Other engines on "may this role call this tool?": all roles and tools loaded, one role asks. */
export async function measure(): Promise<Figure[]> {
  const lines = ROLE_TOOLS.flatMap(([role, tools]) => tools.map((tool) => `p, ${role}, ${tool}`));
  const casbin = await newEnforcer(newModelFromString(MODEL), new StringAdapter(lines.join("\n")));
  const asked = ORDER.map((place) => OWN[place] ?? "");

  const policies = ROLE_TOOLS.map(
    ([role, tools]) =>
      `permit(principal in Role::"${role}", action, resource) when { [${tools
        .map((tool) => `Tool::"${tool}"`)
        .join(", ")}].contains(resource) };`,
  );
  cedar.preparsePolicySet("bench", { staticPolicies: policies.join("\n") });
  const user = { type: "User", id: "bench" };
  const entities = [{ uid: user, attrs: {}, parents: [{ type: "Role", id: ROLE }] }];

  const governance = new PolicyEngine(OWN.map((tool) => ({ action: tool, effect: "allow" as const })));

  const { casbinAsk } = await timeAsyncSideBySide(
    {
      casbinAsk: async (times) => {
        let allowed = 0;
        for (let call = 0; call < times; call += 1) {
          if (await casbin.enforce(ROLE, asked[call & 4095])) allowed += 1;
        }
        return allowed;
      },
    },
    { rounds: 11 },
  );
  const ns = timeSideBySide(
    {
      cedarAsk: (times) => {
        let allowed = 0;
        for (let call = 0; call < times; call += 1) {
          const answer = cedar.statefulIsAuthorized({
            principal: user,
            action: { type: "Action", id: "call" },
            resource: { type: "Tool", id: asked[call & 4095] ?? "" },
            context: {},
            preparsedPolicySetId: "bench",
            entities,
          });
          if (answer.type === "success" && answer.response.decision === "allow") allowed += 1;
        }
        if (allowed !== times) throw new Error("cedar refuses what it should allow");
        return allowed;
      },
      governanceAsk: (times) => {
        let allowed = 0;
        for (let call = 0; call < times; call += 1) {
          if (governance.evaluate(asked[call & 4095] ?? "") === "allow") allowed += 1;
        }
        if (allowed !== times) throw new Error("the governance engine refuses what it should allow");
        return allowed;
      },
    },
    { rounds: 21 },
  );
  return [
    { what: "casbin `enforce()`, 50 roles x 1,000 tools", unit: "µs", value: casbinAsk / 1000 },
    { what: "cedar-wasm, policies parsed before", unit: "µs", value: ns.cedarAsk / 1000 },
    { what: "agent-governance-sdk `evaluate()`, one role", unit: "µs", value: ns.governanceAsk / 1000 },
  ];
}

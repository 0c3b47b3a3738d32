import { describe, expect, it } from "vitest";
import { decideSafe } from "../src/contract/decide-safe.js";
import { checkDocument } from "../src/document/check-document.js";
import { compilePlan } from "../src/plan/plan.js";
import { NO_POLICY } from "../src/record/call-record.js";
import { HistoryDigest } from "../src/record/history-digest.js";
import { policyFor } from "../src/record/policy-for.js";
import { Session } from "../src/session.js";

const { document } = checkDocument({
  policies: [
    {
      role: "clerk",
      permissions: ["read", "post", { tool: "limited", conditions: { input: { limit: { max: 10 } } } }],
      sequence: [{ deny: ["read", "post"] }],
    },
  ],
});
if (document === undefined) throw new Error("the policy is faulty");
const plan = compilePlan(document);
const identity = { ...NO_POLICY, policyId: "shop", policyVersion: "1" };

const inputsOf = (session: Session, capability: string, extensions: object = {}) => ({
  principal_id: "ann",
  intent_type: "tool.call",
  capability,
  extensions: {
    policy_state: "current",
    roles: ["clerk"],
    facts: [],
    history_length: session.length,
    history_digest: new HistoryDigest(session).upTo(session.length),
    arguments: [],
    ...extensions,
  },
});
const decide = (session: Session, inputs: object) => {
  const { outcome, reasonCode, reasonMessage } = decideSafe(
    policyFor(plan, identity, session),
    "acme",
    inputs,
  );
  return [outcome, reasonCode, reasonMessage];
};

describe("the evaluator as a policy of the contract", () => {
  const session = new Session();
  session.end(session.begin("read", 0), true);

  it("gives the guard's decisions", () => {
    expect(decide(session, inputsOf(session, "read"))).toEqual(["ALLOW", "ok", null]);
    expect(decide(session, inputsOf(session, "post"))).toEqual([
      "DENY",
      "sequence_violation",
      '{"rule":"policies[0].sequence[0]"}',
    ]);
    expect(decide(session, inputsOf(session, "other"))).toEqual(["DENY", "missing_policy", null]);
    expect(decide(session, inputsOf(session, "read", { policy_state: "expired" }))).toEqual([
      "DENY",
      "policy_expired",
      null,
    ]);
    expect(decide(session, inputsOf(session, "read", { strict_sync: true }))[1]).toBe("strict_sync");
    const { principal_id: _, ...nobody } = inputsOf(session, "read");
    expect(decide(session, nobody)[1]).toBe("no_context");
  });

  it("judges arguments as they were recorded, positional ones by their names", () => {
    expect(decide(session, inputsOf(session, "limited", { arguments: [{ limit: 10 }] }))[0]).toBe("ALLOW");
    expect(decide(session, inputsOf(session, "limited", { arguments: { limit: 10 } }))[0]).toBe("ALLOW");
    const broken = { arguments: { limit: { $float: "10.5" } } };
    expect(decide(session, inputsOf(session, "limited", broken))[1]).toBe("input_validation");
    expect(decide(session, inputsOf(session, "limited", { arguments: [10] }))[1]).toBe("input_validation");
  });

  it("takes no decision without the values that it needs, but does on those that it does not", () => {
    const hidden = { $digest: "0".repeat(64) };
    for (const args of [hidden, [hidden], { limit: hidden }, [{ limit: { $kind: "date" } }]]) {
      expect(decide(session, inputsOf(session, "limited", { arguments: args }))).toEqual([
        "DENY",
        "evaluation_error",
        null,
      ]);
      expect(decide(session, inputsOf(session, "read", { arguments: args }))[0]).toBe("ALLOW");
    }
    const beside = { arguments: [{ limit: 3, note: hidden }] };
    expect(decide(session, inputsOf(session, "limited", beside))[0]).toBe("ALLOW");
  });

  it.each([
    ["another length", { history_length: 2 }],
    ["another digest", { history_digest: "0".repeat(64) }],
    ["no state of the policy", { policy_state: "fine" }],
    ["roles that are no list", { roles: "clerk" }],
  ])("answers `evaluation_error` for inputs with %s", (_, extensions) => {
    const [outcome, reason] = decide(session, inputsOf(session, "read", extensions));
    expect([outcome, reason]).toEqual(["DENY", "evaluation_error"]);
  });
});

import * as compose from "d2-sdk/compose";
import * as decision from "d2-sdk/decision";
import * as gates from "d2-sdk/gates";
import { describe, expect, it } from "vitest";

describe("the entry points of the decision layer", () => {
  it("hand on everything under its public name", () => {
    expect(Object.keys(decision)).toEqual(
      expect.arrayContaining([
        ..."PolicyContext PolicyDecision DecisionOutcome TenantId PolicyId PolicyVersion".split(" "),
        ..."decideSafe decisionToDblEvent DblEvent BehaviorLog reasonCodes ALLOW_ALL DENY_ALL".split(" "),
        ..."canonicalJson digest".split(" "),
      ]),
    );
    expect(Object.keys(gates)).toEqual(
      expect.arrayContaining(
        "require match oneOf bound tenant allow deny chain anyOf invert RootPolicy describeDigest treePayload".split(
          " ",
        ),
      ),
    );
    expect(Object.keys(compose)).toEqual(
      expect.arrayContaining(["POLICY", "POLICY_CONFIG", "composePolicy"]),
    );
  });

  it("work together", () => {
    const root = gates.chain([gates.require("principal_id"), gates.bound("input_bytes", 0, 10)]);
    const policy = new gates.RootPolicy({ policyId: "p", policyVersion: "1", root });
    const tenant = decision.TenantId("acme");
    const inputs = { principal_id: "ann", input_bytes: 11 };
    const denied = decision.decideSafe(policy, tenant, inputs);
    expect([denied.outcome, denied.reasonCode]).toEqual(["DENY", "gate.bound.above:input_bytes"]);
    const log = new decision.BehaviorLog().append(decision.decisionToDblEvent(denied, "c1"));
    expect(log.at(0)?.event.eventKind).toBe(decision.EventKind.DECISION);
    expect(decision.decideSafe(compose.POLICY, tenant, inputs).reasonCode).toBe("admission.missing_required");
  });
});

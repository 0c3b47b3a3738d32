import { describe, expect, it } from "vitest";
import {
  type CallStep,
  guardVectorFiles,
  pendingVectors,
  type Vector,
} from "../../../test/conformance/expand.js";
import { encodeTagged } from "../src/canonical/tagged.js";
import { decideSafe } from "../src/contract/decide-safe.js";
import { decideCall } from "../src/decide-call.js";
import { decideRelease } from "../src/decide-release.js";
import { checkDocument } from "../src/document/check-document.js";
import type { PolicyDocument } from "../src/document/document.js";
import { policyTree } from "../src/gates.js";
import { parameterNames } from "../src/input/parameter-names.js";
import { compilePlan } from "../src/plan/plan.js";
import { recordedArguments } from "../src/record/arguments.js";
import { Session } from "../src/session.js";

/** Outcome and reason code of one call: the guard's, and the tree's on what the inputs say. */
interface Pair {
  readonly guard: readonly string[];
  readonly tree: readonly string[];
}

const documentOf = (vector: Vector): PolicyDocument | undefined =>
  typeof vector.policy === "string" || vector.expect?.load_error != null
    ? undefined
    : checkDocument(vector.policy).document;

/** Calls made one after the other, up to the first of which the history cannot say what became of it. */
function plainSteps(vector: Vector): CallStep[] {
  const steps: CallStep[] = [];
  for (const step of vector.steps) {
    if ("parallel" in step || "run_as" in step || step.body !== undefined || step.rest === true) break;
    steps.push(step);
  }
  return steps;
}

function* decisions(vector: Vector, document: PolicyDocument): Generator<Pair> {
  const plan = compilePlan(document);
  const tree = policyTree(document, { policyVersion: "1" });
  const expires = Date.parse(String(document.expires ?? "9999-12-31"));
  const state = expires > Date.now() ? "current" : "expired";
  let { user } = vector;
  let session = new Session();
  for (const step of plainSteps(vector)) {
    if (step.new_context !== undefined) [user, session] = [step.new_context, new Session()];
    if (step.clear_context === true) user = null;
    const known = user === null || user.id === "" ? undefined : user;
    const { tool } = step;
    const names = step.params === undefined ? undefined : parameterNames(step.params);
    const args =
      step.positional ?? (names === undefined ? [step.args] : step.params?.map((p) => step.args[p]));
    if (args === undefined || !Array.isArray(known?.roles ?? [])) return;
    const verdict = decideCall(state, known && plan.view(known.roles), {
      tool,
      session,
      enclosing: 0,
      names,
      args,
    });
    const inputs = {
      ...(known === undefined ? {} : { principal_id: encodeTagged(known.id) }),
      intent_type: "tool.call",
      capability: tool,
      extensions: {
        policy_state: state,
        roles: encodeTagged(known?.roles ?? []),
        facts: [...session.facts],
        history: session.history,
        arguments: encodeTagged(recordedArguments(names, args)),
      },
    };
    const { decision, entry } = verdict;
    const answered = decideSafe(tree, "t", inputs);
    yield {
      guard: [decision.outcome.toUpperCase(), decision.reason],
      tree: [answered.outcome, answered.reasonCode],
    };
    if (decision.outcome === "deny") continue;
    const call = session.begin(tool, 0);
    session.addFacts(entry?.labels ?? []);
    const released =
      step.throws === undefined && decideRelease(entry?.output, step.returns).decision.outcome === "allow";
    session.end(call, released);
    if (!released && document.policies.some(({ sequence }) => sequence !== undefined)) return;
  }
}

describe("the tree that a policy document describes itself as", () => {
  let compared = 0;
  const reasons = new Set<string>();

  it.each(guardVectorFiles())("decides the plain calls of %s as the guard does", (file) => {
    for (const { id, make } of pendingVectors(file)) {
      const vector = make();
      const document = documentOf(vector);
      if (document === undefined) continue;
      for (const { guard, tree } of decisions(vector, document)) {
        expect({ id, decision: tree }).toEqual({ id, decision: guard });
        compared += 1;
        reasons.add(tree[1] ?? "");
      }
    }
  });

  it("has been asked often enough, in every layer", () => {
    expect(compared).toBeGreaterThan(400);
    expect([...reasons].sort()).toEqual([
      "data_flow_violation",
      "input_validation",
      "missing_policy",
      "no_context",
      "ok",
      "rbac_denied",
      "sequence_violation",
    ]);
  });
});

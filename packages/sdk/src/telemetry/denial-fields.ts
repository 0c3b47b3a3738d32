import type { Decision } from "d2-core/call";
import { short } from "./event-text.js";
import type { Observation } from "./observation.js";

/** Most entries of a list in an event. */
const MAX_LIST = 50;

/** What an event says of a denial besides its reason: which rules, never what they were broken by. */
export function denialFields(decision: Decision, call: Observation): object {
  const { reason, rule, detail } = decision;
  return { reason, rule, ...ownFields(decision, call), ...(isOwnWord(decision) ? { detail } : {}) };
}

/** Whether the detail is a word of this library, and not a text of the policy's. */
function isOwnWord({ reason }: Decision): boolean {
  return reason !== "sequence_violation" && reason !== "data_flow_violation";
}

function ownFields(decision: Decision, call: Observation): object {
  switch (decision.reason) {
    case "sequence_violation": {
      const { pattern_type, source_tool, chain_length, user_role } = chainOf(call);
      return {
        sequence_mode: sequenceMode(decision),
        pattern_type,
        source_tool,
        chain_length,
        call_history: call.evidence ?? [],
        user_role,
      };
    }
    case "data_flow_violation": {
      const labels = decision.detail === undefined ? [] : [decision.detail];
      return {
        blocking_labels: labels,
        violated_facts: labels,
        all_facts: (call.evidence ?? []).slice(0, MAX_LIST).map(short),
      };
    }
    case "input_validation":
    case "output_validation":
    case "output_sanitization": {
      const { violations } = decision;
      return {
        violation_count: violations.length,
        // Path and operator, as the rule has them.
        violations: violations
          .slice(0, MAX_LIST)
          .map(({ path, operator }) => ({ path: short(path), operator })),
      };
    }
    case "ok":
    case "no_context":
    case "missing_policy":
    case "rbac_denied":
    case "policy_unavailable":
    case "policy_expired":
    case "strict_sync":
    case "evaluation_error":
      return {};
  }
}

/** The chain of calls that a refused one would have ended. */
export interface Chain {
  readonly pattern_type: string;
  readonly source_tool: string | undefined;
  /** Calls of the session, this one included. */
  readonly chain_length: number;
  /** The user's roles, with commas between. */
  readonly user_role: string;
}

export function chainOf({ depth, source, user }: Observation): Chain {
  const calls = depth + 1;
  return {
    pattern_type: calls === 2 ? "direct_2hop" : calls === 3 ? "transitive_3hop" : `complex_${calls}hop`,
    source_tool: source,
    chain_length: calls,
    user_role: short((user?.roles ?? []).join(",")),
  };
}

/** A broken pattern is one entry of a role's sequence; what no pattern allows is refused by the sequence as a whole. */
function sequenceMode({ rule }: Decision): "allow" | "deny" {
  return rule !== undefined && /\]$/.test(rule) && rule.includes("sequence") ? "deny" : "allow";
}

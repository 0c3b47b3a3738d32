import { isMapping } from "../values/kind.js";
import type { DblEvent } from "./dbl-event.js";
import { GateDecision } from "./gate-decision.js";
import type { DecisionOutcome } from "./policy-decision.js";

/**
 * What a DECISION event says: the word of its `GateDecision`, or that at `data.gate.decision` or `data.decision`.
 * A DENY in either place is a DENY. `undefined`: it says neither word.
 */
export function outcomeOf(event: DblEvent): DecisionOutcome | undefined {
  const { data } = event;
  if (GateDecision.is(data)) return data.decision;
  if (!isMapping(data)) return undefined;
  const gate = data["gate"];
  const words = [isMapping(gate) ? gate["decision"] : undefined, data["decision"]].filter(
    (word) => word !== undefined,
  );
  if (words.includes("DENY")) return "DENY";
  return words.length > 0 && words.every((word) => word === "ALLOW") ? "ALLOW" : undefined;
}

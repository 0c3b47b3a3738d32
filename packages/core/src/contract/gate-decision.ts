import { InvalidDecisionError } from "./contract-error.js";
import { type DecisionOutcome, isOutcome, isText } from "./policy-decision.js";

/** A bare answer as an event may carry it. Its message is in the event's full form and not in what is hashed. */
export class GateDecision {
  readonly #brand = true;
  readonly decision: DecisionOutcome;
  readonly reasonCode: string;
  readonly reasonMessage: string | null;

  /** @throws {InvalidDecisionError} for another outcome, an empty reason code, or ill-formed text */
  constructor(decision: DecisionOutcome, reasonCode: string, reasonMessage: string | null = null) {
    if (!isOutcome(decision)) throw new InvalidDecisionError("`decision` must be `ALLOW` or `DENY`");
    if (!isText(reasonCode) || reasonCode === "") {
      throw new InvalidDecisionError("`reasonCode` must be a well-formed, non-empty string");
    }
    if (reasonMessage !== null && !isText(reasonMessage)) {
      throw new InvalidDecisionError("`reasonMessage` must be a well-formed string or null");
    }
    this.decision = decision;
    this.reasonCode = reasonCode;
    this.reasonMessage = reasonMessage;
    Object.freeze(this);
  }

  /** Whether a value is one. Asks the value nothing. */
  static is(value: unknown): value is GateDecision {
    return typeof value === "object" && value !== null && #brand in value && value.#brand;
  }
}

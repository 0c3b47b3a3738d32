import { type CanonicalValue, canonicalJson, digest, type HexDigest } from "../canonical/canonical-json.js";
import { type FrozenMapping, frozenCopy } from "../contract/frozen-copy.js";
import type { PolicyContext } from "../contract/policy-context.js";
import type { DecisionOutcome } from "../contract/policy-decision.js";
import { D2Error } from "../errors.js";
import { isMapping } from "../values/kind.js";

/** A gate that cannot be built, or that does not answer as one. */
export class InvalidGateError extends D2Error {
  constructor(reason: string, options?: ErrorOptions) {
    super("invalid_gate", reason, options);
  }
}

/** Facts about an answer; canonical data. */
export type GateDetail = { readonly [key: string]: CanonicalValue };

/** What a gate answers. */
export interface GateVerdict {
  readonly outcome: DecisionOutcome;
  /** `gate.allow`, or why not. */
  readonly reasonCode: string;
  readonly detail: GateDetail | null;
  /** What a root policy says as its `reasonMessage` in place of the detail's canonical JSON; null: nothing. */
  readonly message?: string | null;
}

/** A gate's structure as canonical data: `{describe_version: 1, type, ...parameters, label?}`. */
export type GateDescription = FrozenMapping;

/** A pure question about a context. Whoever writes one keeps to the context: no clock, no state. */
export interface Gate {
  evaluate(context: PolicyContext): GateVerdict;
  describe(): GateDescription;
}

/** What every gate may be given besides its parameters. */
export interface GateOptions {
  /** A name for people. Stands in the description and in details; never changes an outcome. */
  readonly label?: string;
}

export const ALLOW_GATE: GateVerdict = Object.freeze({
  outcome: "ALLOW",
  reasonCode: "gate.allow",
  detail: null,
});

/** A denial; the gate's label, if it has one, joins the detail. */
export function denied(
  reasonCode: string,
  detail: GateDetail | null,
  label: string | undefined,
): GateVerdict {
  const labelled = label === undefined ? detail : { ...detail, label };
  return Object.freeze({
    outcome: "DENY",
    reasonCode,
    detail: labelled === null ? null : Object.freeze(labelled),
  });
}

/**
 * Makes a gate of its description and its question.
 *
 * @throws {InvalidGateError} when parameters or label are no canonical data
 */
export function makeGate(
  type: string,
  parameters: { readonly [key: string]: unknown },
  options: GateOptions,
  evaluate: (context: PolicyContext, label: string | undefined) => GateVerdict,
): Gate {
  const { label } = options;
  if (label !== undefined && typeof label !== "string")
    throw new InvalidGateError("`label` must be a string");
  const description = checkDescription({
    describe_version: 1,
    type,
    ...parameters,
    ...(label === undefined ? {} : { label }),
  });
  return Object.freeze({
    describe: () => description,
    evaluate: (context: PolicyContext) => evaluate(context, label),
  });
}

/** The gate's answer, made sure to be one: a gate that answers with anything else must not turn into an ALLOW. */
export function ask(gate: Gate, context: PolicyContext): GateVerdict {
  const verdict = gate.evaluate(context);
  if (verdict.outcome !== "ALLOW" && verdict.outcome !== "DENY") {
    throw new InvalidGateError("a gate must answer with `ALLOW` or `DENY`");
  }
  return verdict;
}

/** @throws {InvalidGateError} for what is no canonical mapping */
export function checkDescription(description: unknown): GateDescription {
  let copy: CanonicalValue;
  try {
    copy = frozenCopy(description);
  } catch (error) {
    throw new InvalidGateError("a gate's parameters must be canonical data", { cause: error });
  }
  if (!isMapping(copy)) throw new InvalidGateError("a gate's description must be a mapping");
  return copy;
}

/** What describes itself: a gate, or a policy made of gates. */
export interface Described {
  describe(): GateDescription;
}

/** The description of a gate or policy; a description stands for itself. */
export function descriptionOf(target: Described | GateDescription): GateDescription {
  return checkDescription(isDescribed(target) ? target.describe() : target);
}

function isDescribed(target: Described | GateDescription): target is Described {
  return typeof target.describe === "function";
}

/** The canonical JSON of a description. */
export function describeJson(target: Described | GateDescription): string {
  return canonicalJson(descriptionOf(target));
}

/** SHA-256 of the canonical JSON of a description. Two trees with the same digest have the same structure. */
export function describeDigest(target: Described | GateDescription): HexDigest {
  return digest(descriptionOf(target));
}

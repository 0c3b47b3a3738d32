import { isProxy } from "#platform";
import { sha256Hex } from "#platform/sha256";
import { type CanonicalValue, canonicalJson, type HexDigest } from "../canonical/canonical-json.js";
import { isMapping } from "../values/kind.js";
import { normalizeAnchors } from "./anchor.js";
import { InvalidEventError, InvalidTraceError } from "./contract-error.js";
import { frozenCopy } from "./frozen-copy.js";
import { GateDecision } from "./gate-decision.js";
import { isText } from "./policy-decision.js";
import { sanitizeTrace, traceDigest } from "./trace.js";

/** The four kinds of event. Only a DECISION is a ground for anything. */
export const EventKind = Object.freeze({
  INTENT: "INTENT",
  DECISION: "DECISION",
  EXECUTION: "EXECUTION",
  PROOF: "PROOF",
} as const);
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

export interface DblEventFields {
  readonly eventKind: EventKind;
  /** What the events of one chain have in common; not empty. */
  readonly correlationId: string;
  /** Canonical data, or a `GateDecision`. Default: an empty mapping. */
  readonly data?: unknown;
  /** Canonical data that is in no digest. Null or absent: there is none. */
  readonly observational?: unknown;
}

/**
 * One event of the record, checked and frozen.
 *
 * | kind | `data` |
 * |---|---|
 * | INTENT, PROOF | any canonical data |
 * | DECISION | a `GateDecision` or a non-empty mapping; its `anchors_used` are put in order |
 * | EXECUTION | a mapping with `trace` and the `trace_digest` of the sanitized trace; the trace itself is in no event digest |
 */
export class DblEvent {
  readonly eventKind: EventKind;
  readonly correlationId: string;
  readonly data: CanonicalValue | GateDecision;
  readonly observational: CanonicalValue;
  /** The canonical JSON of what is hashed: `{correlation_id, data, event_kind}`. */
  readonly canonical: string;
  readonly digest: HexDigest;

  /**
   * @throws {InvalidEventError} for an unknown kind, an empty correlation id, data that is not canonical or not of the kind
   * @throws {InvalidTraceError} for an EXECUTION without a trace and its digest, or with those of another
   */
  constructor(fields: DblEventFields) {
    const { eventKind, correlationId, data = {}, observational = null } = fields;
    if (!Object.hasOwn(EventKind, eventKind)) {
      throw new InvalidEventError("`eventKind` must be `INTENT`, `DECISION`, `EXECUTION` or `PROOF`");
    }
    if (!isText(correlationId) || correlationId === "") {
      throw new InvalidEventError("`correlationId` must be a well-formed, non-empty string");
    }
    this.eventKind = eventKind;
    this.correlationId = correlationId;
    this.data = GateDecision.is(data) ? data : copyData(eventKind === "DECISION" ? withAnchors(data) : data);
    this.observational = copyPart("observational", observational);
    checkKind(eventKind, this.data);
    this.canonical = writeEvent(this.deterministic());
    // SHA-256 in lower-case hex is what the type stands for.
    this.digest = sha256Hex(this.canonical) as HexDigest;
    Object.freeze(this);
  }

  /** The part that is hashed. */
  deterministic(): CanonicalValue {
    return this.#form(hashedData(this.eventKind, this.data));
  }

  /** Everything: an EXECUTION's trace, a `GateDecision`'s message, and what is observational where there is something. */
  full(): CanonicalValue {
    const { observational } = this;
    const form = this.#form(fullData(this.data));
    return observational === null ? form : Object.freeze({ ...form, observational });
  }

  #form(data: CanonicalValue): { readonly [key: string]: CanonicalValue } {
    return Object.freeze({ correlation_id: this.correlationId, data, event_kind: this.eventKind });
  }
}

function hashedData(kind: EventKind, data: CanonicalValue | GateDecision): CanonicalValue {
  if (GateDecision.is(data)) return { decision: data.decision, reason_code: data.reasonCode };
  if (kind !== "EXECUTION" || !isMapping(data)) return data;
  const rest: { [key: string]: CanonicalValue } = Object.create(null);
  for (const [key, value] of Object.entries(data)) if (key !== "trace") rest[key] = value;
  return Object.freeze(rest);
}

function fullData(data: CanonicalValue | GateDecision): CanonicalValue {
  if (!GateDecision.is(data)) return data;
  return { decision: data.decision, reason_code: data.reasonCode, reason_message: data.reasonMessage };
}

/** The event around its data takes one level more of depth than the data alone. */
function writeEvent(form: CanonicalValue): string {
  try {
    return canonicalJson(form);
  } catch (error) {
    throw new InvalidEventError("`data` must be canonical data", { cause: error });
  }
}

function copyData(data: unknown): CanonicalValue {
  return copyPart("data", data);
}

function copyPart(name: string, value: unknown): CanonicalValue {
  try {
    return frozenCopy(value);
  } catch (error) {
    throw new InvalidEventError(`\`${name}\` must be canonical data`, { cause: error });
  }
}

/** The data of a DECISION with its anchors in order, `AnchorRef`s written out. Anything else is left for later checks. */
function withAnchors(data: unknown): unknown {
  if (isProxy(data) || !isMapping(data)) return data;
  const properties = Object.getOwnPropertyDescriptors(data);
  if (!Object.hasOwn(properties, "anchors_used")) return data;
  const property = properties["anchors_used"];
  try {
    const anchors = normalizeAnchors(property?.value);
    return Object.create(null, { ...properties, anchors_used: { ...ENUMERABLE, value: anchors } });
  } catch (error) {
    throw new InvalidEventError("`anchors_used` must list each anchor once", { cause: error });
  }
}

const ENUMERABLE = Object.freeze({ enumerable: true });

function checkKind(kind: EventKind, data: CanonicalValue | GateDecision): void {
  switch (kind) {
    case "INTENT":
    case "PROOF":
      return;
    case "DECISION":
      if (GateDecision.is(data) || (isMapping(data) && Object.keys(data).length > 0)) return;
      throw new InvalidEventError("`data` of a DECISION must be a `GateDecision` or a non-empty mapping");
    case "EXECUTION":
      if (GateDecision.is(data) || !isMapping(data)) {
        throw new InvalidEventError("`data` of an EXECUTION must be a mapping");
      }
      checkTrace(data["trace"], data["trace_digest"]);
  }
}

function checkTrace(trace: unknown, given: unknown): void {
  if (typeof given !== "string" || given === "") {
    throw new InvalidTraceError("`trace_digest` must be a non-empty string");
  }
  if (!isMapping(trace)) throw new InvalidTraceError("`trace` must be a mapping");
  if (traceDigest(sanitizeTrace(trace)) !== given) {
    throw new InvalidTraceError("`trace_digest` is not the digest of the sanitized `trace`");
  }
}

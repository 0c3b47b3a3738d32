/** The decision contract: contexts, decisions, events and the behaviour log. */
export {
  CanonicalError,
  type CanonicalValue,
  canonicalJson,
  digest,
  type HexDigest,
  type PrefixedDigest,
} from "./canonical/canonical-json.js";
export {
  ANCHOR_TYPES,
  type AnchorEntry,
  AnchorRef,
  type AnchorType,
  normalizeAnchors,
} from "./contract/anchor.js";
export { BehaviorLog, type LogEntry } from "./contract/behavior-log.js";
export { ALLOW_ALL, DENY_ALL } from "./contract/built-in-policies.js";
export {
  InvalidAnchorError,
  InvalidDecisionError,
  InvalidEventError,
  InvalidIdError,
  InvalidInputError,
  InvalidOrderError,
  InvalidTraceError,
  UnknownContextKeyError,
} from "./contract/contract-error.js";
export { DblEvent, type DblEventFields, EventKind } from "./contract/dbl-event.js";
export { decideSafe, INVALID_POLICY, INVALID_TENANT } from "./contract/decide-safe.js";
export { decisionToDblEvent } from "./contract/decision-event.js";
export { GateDecision } from "./contract/gate-decision.js";
export {
  CHAIN_SEED,
  chainStep,
  gatewayDecisionDigest,
  gatewayEventDigest,
  gatewayReleaseDigest,
  normativeDecision,
} from "./contract/gateway-digest.js";
export { MAX_ID_LENGTH, PolicyId, PolicyVersion, TenantId } from "./contract/id.js";
export {
  CONTEXT_KEYS,
  type ContextInputs,
  type ContextKey,
  PolicyContext,
} from "./contract/policy-context.js";
export {
  DecisionOutcome,
  type Policy,
  PolicyDecision,
  type PolicyDecisionFields,
  type PolicyVerdict,
} from "./contract/policy-decision.js";
export { type Phase, type Projection, projectState, type RunnerStatus } from "./contract/projection.js";
export { reasonCodes } from "./contract/reason-codes.js";
export {
  type NormalizedTrace,
  normalizeTrace,
  sanitizeTrace,
  TIMING_KEYS,
  traceDigest,
} from "./contract/trace.js";

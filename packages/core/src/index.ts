export * from "./call.js";
export {
  CanonicalError,
  type CanonicalValue,
  canonicalJson,
  digest,
  type HexDigest,
  isHexDigest,
  type PrefixedDigest,
  prefixDigest,
} from "./canonical/canonical-json.js";
export { compareCodePoints } from "./canonical/code-point-order.js";
export { decodeTagged, encodeTagged, TaggedError } from "./canonical/tagged.js";
// Reading and checking policies (d2-policy).
export { ACTIONS } from "./document/check-action.js";
export { GLOBAL_NAMES } from "./document/check-conditions.js";
export {
  checkDocument,
  checkTree,
  DEFAULT_MAX_BYTES,
  type DocumentCheck,
} from "./document/check-document.js";
export { MAX_STEPS } from "./document/check-sequence.js";
export type {
  ActionName,
  DocumentPath,
  FieldRule,
  OperatorName,
  Permission,
  PolicyDocument,
  PolicyValue,
} from "./document/document.js";
export { documentDigest, normalisedDocument } from "./document/document-digest.js";
export { type Fault, formatDocumentPath } from "./document/fault.js";
export { type FaultDetails, FaultList } from "./document/fault-list.js";
export { codePointName, findUnseenCharacter, quoted } from "./document/name-characters.js";
export { snapshotPolicy } from "./document/policy-snapshot.js";
export {
  MAX_DOCUMENT_DEPTH,
  type PolicyTree,
  type PolicyTreeMap,
  UNREADABLE,
} from "./document/policy-tree.js";
export {
  checkName,
  checkToolId,
  compileToolMatcher,
  groupOf,
  parseToolPattern,
  type ToolMatcher,
  type ToolPattern,
} from "./document/tool-reference.js";
export * from "./errors.js";
export type { Operator } from "./operators/operator.js";
export { OPERATORS } from "./operators/operators.js";
export { TYPE_NAMES } from "./operators/type-names.js";
export { compilePlan, type PlanFacts } from "./plan/plan.js";
export type { SequenceProgram } from "./sequence/program.js";
export { type SequenceNode, SequenceSpace } from "./sequence/space.js";
export type { SequenceDenial } from "./sequence/state.js";
export { utf8Size } from "./values/bytes.js";

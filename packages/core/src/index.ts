export { sha256Hex } from "#platform/sha256";
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
// The decision contract.
export * from "./decision-layer.js";
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
export { suggestWord } from "./document/spelling.js";
export {
  checkName,
  checkToolId,
  compileToolMatcher,
  groupOf,
  parseToolPattern,
  type ToolMatcher,
  type ToolPattern,
} from "./document/tool-reference.js";
export { TreeReading } from "./document/tree-reading.js";
export * from "./errors.js";
// Explaining decisions (d2-policy).
export type { InputPlan, InputRule } from "./input/compile-input.js";
export { judgeInput } from "./input/judge-input.js";
export type { Operator } from "./operators/operator.js";
export { OPERATORS } from "./operators/operators.js";
export { TYPE_NAMES } from "./operators/type-names.js";
export { compilePlan, type PlanFacts } from "./plan/plan.js";
// Writing decisions down, and taking them again (d2-sdk, d2-policy).
export { lacksArguments, type ReadArguments, readArguments, recordedArguments } from "./record/arguments.js";
export {
  type CallEnding,
  type CallRecord,
  decisionMessage,
  NO_POLICY,
  type PolicyIdentity,
  type RecordContext,
  type RecordLevel,
  type ReleaseEnding,
  recordContext,
} from "./record/call-record.js";
export { capture } from "./record/capture.js";
export { HistoryDigest, historyAfter, NOTHING_BEFORE } from "./record/history-digest.js";
export {
  BadInputs,
  judgeRecorded,
  judgeRecordedRelease,
  type NotReplayable,
  type RecordedVerdict,
} from "./record/judge-recorded.js";
export { type Mask, readMask } from "./record/mask.js";
export { policyFor } from "./record/policy-for.js";
export { type ChainPosition, correlationId, RecordWriter } from "./record/record-writer.js";
export type { SequenceProgram } from "./sequence/program.js";
export { type SequenceNode, SequenceSpace } from "./sequence/space.js";
export type { SequenceDenial } from "./sequence/state.js";
export { utf8Size } from "./values/bytes.js";

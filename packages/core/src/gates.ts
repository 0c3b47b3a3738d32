/** The gate algebra: questions about a context, put together to policies that describe themselves. */
export { type ArgumentOptions, argument, argumentsKnown } from "./gates/argument-gates.js";
export {
  type AnswerWords,
  allow,
  answer,
  anyOf,
  chain,
  deny,
  invert,
} from "./gates/combinators.js";
export { type DataFlow, dataFlow, type ToolsByLabel } from "./gates/data-flow-gate.js";
export { policyTree, type TreeIdentity } from "./gates/document-tree.js";
export {
  type Described,
  describeDigest,
  describeJson,
  type Gate,
  type GateDescription,
  type GateDetail,
  type GateOptions,
  type GateVerdict,
  InvalidGateError,
} from "./gates/gate.js";
export { bound, match, oneOf, requireKey as require, tenant } from "./gates/input-gates.js";
export { contains, textList } from "./gates/path-gates.js";
export { RootPolicy, type RootPolicyFields } from "./gates/root-policy.js";
export {
  type SequenceOptions,
  type SequencePattern,
  type SequenceStep,
  sequence,
} from "./gates/sequence-gate.js";
export { tool } from "./gates/tool-gate.js";
export { type TreeNode, type TreePayload, treePayload } from "./gates/tree-payload.js";

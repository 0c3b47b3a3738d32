/** The gate algebra: questions about a context, put together to policies that describe themselves. */
export {
  type AnswerWords,
  allow,
  answer,
  anyOf,
  chain,
  deny,
  invert,
} from "./gates/combinators.js";
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
export { bound, match, oneOf, require, tenant } from "./gates/input-gates.js";
export { RootPolicy, type RootPolicyFields } from "./gates/root-policy.js";
export { type TreeNode, type TreePayload, treePayload } from "./gates/tree-payload.js";

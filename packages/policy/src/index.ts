export { type FormatOptions, formatDiagnostics } from "./format-diagnostics.js";
export type { TextPosition } from "./line-index.js";
export {
  DEFAULT_MAX_TOOLS,
  type LoadedPolicy,
  type LoadOptions,
  loadPolicy,
  type PolicyLimits,
  UNNAMED_POLICY,
} from "./load-policy.js";
export { type Locate, locateIn } from "./locate.js";
export { type Marks, NO_MARKS } from "./marks.js";
export { policyJsonSchema } from "./policy-schema.js";
export { type PolicyText, readPolicyText } from "./policy-text.js";

export { type FormatOptions, formatDiagnostics } from "./format-diagnostics.js";
export {
  DEFAULT_MAX_TOOLS,
  type LoadedPolicy,
  type LoadOptions,
  loadPolicy,
  type PolicyLimits,
  UNNAMED_POLICY,
} from "./load-policy.js";
export { policyJsonSchema } from "./policy-schema.js";
export { type PolicyText, readPolicyText } from "./policy-text.js";

export { DEFAULT_MAX_STATES, type DiffOptions, diffPolicies } from "./diff/diff-policies.js";
export { type DiffTextOptions, diffText } from "./diff/diff-text.js";
export type {
  ChangeDirection,
  ChangeKind,
  ExampleCall,
  PolicyChange,
  PolicyDiff,
  RulePlace,
} from "./diff/policy-diff.js";

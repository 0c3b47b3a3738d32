/** What a guard needs before any policy is there: nothing in here loads the regex engine or the policy compiler. */
export { type Call, decideCall, type PolicyState } from "./decide-call.js";
export { decideItems, decideRelease, decideThrown, type Release } from "./decide-release.js";
export {
  ALLOW,
  type Decision,
  deny,
  type Layer,
  REASON_CODES,
  type ReasonCode,
  type Violation,
} from "./decision.js";
export { checkToolId } from "./document/tool-reference.js";
export {
  BundleExpiredError,
  ConfigurationError,
  D2Error,
  D2PlanLimitError,
  type Diagnostic,
  InvalidSignatureError,
  MissingPolicyError,
  NoContextError,
  PermissionDeniedError,
  PolicyError,
  PolicyTooLargeError,
  type Refusal,
  TooManyToolsError,
} from "./errors.js";
export { type ParameterNames, parameterNames } from "./input/parameter-names.js";
export type { OutputPlan } from "./output/compile-output.js";
export type { Plan } from "./plan/plan.js";
export type { RoleView } from "./plan/role-view.js";
export type { CallVerdict, ToolEntry } from "./plan/tool-entry.js";
export { STRICT_SYNC } from "./record/strict-sync.js";
export { Session } from "./session.js";

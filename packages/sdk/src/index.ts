export {
  BundleExpiredError,
  ConfigurationError,
  D2Error,
  D2PlanLimitError,
  type Decision,
  type Diagnostic,
  InvalidSignatureError,
  type Layer,
  MissingPolicyError,
  NoContextError,
  PermissionDeniedError,
  PolicyError,
  PolicyTooLargeError,
  type ReasonCode,
  type Refusal,
  TooManyToolsError,
  type Violation,
} from "d2-core/call";
export type { CloudOptions } from "./cloud/cloud-settings.js";
export { getFacts, hasAnyFact, hasFact, recordFact, recordFacts } from "./context/facts.js";
export { warnIfContextSet } from "./context/leak.js";
export {
  clearContext,
  clearContextAsync,
  clearUserContext,
  getUserContext,
  isContextSet,
  runAs,
  setUser,
  setUserContext,
  type UserContext,
  type UserOptions,
} from "./context/user.js";
export { check } from "./guard/check.js";
export { d2Guard, d2Guard as d2, TOOL_ID } from "./guard/d2-guard.js";
export type { GuardOptions, RefusalError } from "./guard/options.js";
export type { WorkerOptions, WorkerTool } from "./guard/worker.js";
export type { DecisionLogOptions } from "./log/log-options.js";
export type { DecisionLogState, WhenFull } from "./log/log-settings.js";
export type { DecisionSink } from "./log/sink.js";
export {
  configureRbac,
  configureRbacAsync,
  configureRbacSync,
  getPolicyManager,
  shutdownAllRbac,
  shutdownRbac,
} from "./setup/configure.js";
export type { Logger } from "./setup/logger.js";
export type { PolicyEvent, PolicyFacts, PolicyManager } from "./setup/policy-instance.js";
export type { PolicyLimits, RbacOptions } from "./setup/settings.js";
export type { BundleFacts } from "./source/policy-source.js";
export type { TelemetryMode, TelemetryOptions } from "./telemetry/telemetry-options.js";

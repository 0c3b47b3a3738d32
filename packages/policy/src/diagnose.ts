export { diagnosePolicy } from "./diagnose/diagnose-policy.js";
export type {
  DiagnosedAction,
  DiagnosedLimits,
  DiagnoseOptions,
  Diagnosis,
} from "./diagnose/diagnosis.js";
export { type DiagnosisTextOptions, diagnosisText } from "./diagnose/diagnosis-text.js";
export type { DynamicTool, FoundCode, FoundTool } from "./diagnose/found-code.js";

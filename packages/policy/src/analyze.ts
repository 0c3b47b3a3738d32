export type {
  Analysis,
  AnalyzeOptions,
  Answer,
  BlockReach,
  Closing,
  Covers,
  Finding,
  FindingKind,
  PathStep,
  Question,
  Script,
  ScriptStep,
  Stop,
  Unfinished,
} from "./analyze/analysis.js";
export { analysisText } from "./analyze/analysis-text.js";
export { analyzePolicy } from "./analyze/analyze-policy.js";
export { DEFAULT_MAX_STATES } from "./analyze/study.js";

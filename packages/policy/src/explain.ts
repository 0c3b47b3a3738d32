export { explainCall } from "./explain/explain-call.js";
export { explainText } from "./explain/explain-text.js";
export type {
  CloseRule,
  ConsultedRule,
  ExplainedCall,
  ExplainOptions,
  Explanation,
  LayerVerdict,
  ProposedChange,
  Step,
} from "./explain/explanation.js";

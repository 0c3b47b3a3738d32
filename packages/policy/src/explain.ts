export { explainCall, explainText } from "./explain/explain-call.js";
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

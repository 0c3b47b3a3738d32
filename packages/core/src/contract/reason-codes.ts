/** The reason codes of the contract and of the starter pack. A policy may use others: any non-empty text is one. */
export const reasonCodes = Object.freeze({
  ok: "ok",
  allowAll: "allow_all",
  denyAll: "deny_all",
  invalidInput: "invalid_input",
  unknownContextKey: "unknown_context_key",
  tenantBlocked: "tenant_blocked",
  missingRequiredInput: "missing_required_input",
  evaluationError: "evaluation_error",
  admissionMissingRequired: "admission.missing_required",
  admissionInvalidValue: "admission.invalid_value",
  capabilityDenied: "capability.denied",
  modelDenied: "model.denied",
  costOutputTokensCap: "cost.output_tokens_cap",
  costInputBytesCap: "cost.input_bytes_cap",
  costInputCharsCap: "cost.input_chars_cap",
  riskHighRequiresOverride: "risk.high_requires_override",
} as const);

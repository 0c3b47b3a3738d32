import { ConfigurationError } from "d2-core/call";
import type { PolicyText } from "../source/policy-source.js";
import type { PolicyEngine } from "./policy-engine.js";

/** What is wrong with a policy, to be put behind a colon: all its diagnostics, or a sentence. */
export function describeFault(engine: PolicyEngine, error: unknown, text: PolicyText | undefined): string {
  if (error instanceof ConfigurationError && error.diagnostics.length > 0) {
    const source = typeof text?.content === "string" ? text.content : undefined;
    return `\n\n${engine.formatDiagnostics(error.diagnostics, { text: source, file: text?.file })}`;
  }
  return ` ${error instanceof Error ? error.message : "it cannot be read"}`;
}

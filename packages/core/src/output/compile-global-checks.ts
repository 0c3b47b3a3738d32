import type { Permission } from "../document/document.js";
import { formatDocumentPath } from "../document/fault.js";
import { compilePattern, type Pattern } from "../operators/pattern.js";
import type { GlobalCheck, GlobalChecks } from "./global-checks.js";

/** Binds the global rules of permissions. */
export function compileGlobalChecks(permissions: readonly Permission[]): GlobalChecks {
  const patterns: (GlobalCheck & { readonly pattern: Pattern })[] = [];
  const absent: (GlobalCheck & { readonly field: string })[] = [];
  let size: (GlobalCheck & { readonly bytes: number }) | undefined;
  for (const { at, global } of permissions) {
    const check = (operator: string, operand: unknown, message: string): GlobalCheck => ({
      rule: formatDocumentPath([...at, "conditions", "output", operator]),
      violation: Object.freeze({ path: "$", operator, operand, message }),
    });
    for (const source of global.denyIfPatterns) {
      const found = "the result holds text that one of `deny_if_patterns` is found in";
      patterns.push({ ...check("deny_if_patterns", source, found), pattern: compilePattern(source) });
    }
    for (const field of global.requireFieldsAbsent) {
      const present = "the result has a field that `require_fields_absent` names";
      absent.push({ ...check("require_fields_absent", field, present), field });
    }
    const bytes = global.maxBytes;
    if (bytes !== undefined && (size === undefined || bytes < size.bytes)) {
      size = {
        ...check("max_bytes", bytes, "the result takes too many bytes, or cannot be written as JSON"),
        bytes,
      };
    }
  }
  return {
    empty: patterns.length === 0 && absent.length === 0 && size === undefined,
    patterns,
    absent,
    size,
  };
}

import { formatDocumentPath, type Permission, quoted } from "d2-core";
import { joined, shown } from "./words-lists.js";
import { bytes } from "./words-operators.js";

/** What the rules for the whole output refuse, each with its document path. */
export function globalRuleWords({
  global,
  at,
}: Permission): readonly { readonly rule: string; readonly name: string; readonly words: string }[] {
  const { denyIfPatterns, requireFieldsAbsent, maxBytes } = global;
  const rule = (name: string) => formatDocumentPath([...at, "conditions", "output", name]);
  const rules: { rule: string; name: string; words: string }[] = [];
  if (denyIfPatterns.length > 0) {
    const patterns = joined(
      denyIfPatterns.map((it) => shown(it)),
      "or",
    );
    const words = `the output is refused when ${patterns} is found in any text, number or key of it`;
    rules.push({ rule: rule("deny_if_patterns"), name: "deny_if_patterns", words });
  }
  if (requireFieldsAbsent.length > 0) {
    const words = `the output is refused when a key named ${joined(requireFieldsAbsent.map(quoted), "or")} is there at any depth`;
    rules.push({ rule: rule("require_fields_absent"), name: "require_fields_absent", words });
  }
  if (maxBytes !== undefined) {
    const words = `the output is refused when it takes more than ${bytes(maxBytes)} as JSON`;
    rules.push({ rule: rule("max_bytes"), name: "max_bytes", words });
  }
  return rules;
}

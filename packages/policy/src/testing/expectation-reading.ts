import { quoted, REASON_CODES, type TreeReading } from "d2-core";
import { parseDocumentPath } from "../locate.js";
import { type Fields, fieldsOf, isTreeMap, type Placed } from "./placed.js";
import { plainValue } from "./plain-value.js";
import type { Expectation } from "./policy-tests.js";
import { aliasesOf, EXPECTATION_KEYS, LAYERS } from "./test-keys.js";

const DECISIONS = ["allow", "deny"] as const;

/** What people write for them. */
const OTHER_DECISIONS: readonly (readonly [word: string, meant: (typeof DECISIONS)[number]])[] = [
  ["allowed", "allow"],
  ["denied", "deny"],
  ["refuse", "deny"],
  ["pass", "allow"],
];

/** Takes an `expect` apart: a word is the decision. */
export function expectationFields({ node, path }: Placed, reading: TreeReading): Map<string, Placed> {
  if (!isTreeMap(node)) return new Map([["decision", { node, path }]]);
  reading.knownKeys(node, path, "an expectation", EXPECTATION_KEYS, aliasesOf(EXPECTATION_KEYS));
  if (node.size === 0) {
    reading.faults.error("empty_expectation", "nothing is expected here: write at least a `reason`", path);
  }
  return fieldsOf(node, path);
}

/**
 * Reads what a test expects.
 *
 * @param returned whether the call gives a value that can be judged
 */
export function readExpectation(fields: Fields, returned: boolean, reading: TreeReading): Expectation {
  const found: { -readonly [Key in keyof Expectation]: Expectation[Key] } = {};
  const text = (name: "rule" | "detail"): string | undefined => {
    const field = fields.get(name);
    return field && reading.text(field.node, field.path, `\`${name}\``);
  };
  const word = <Word extends string>(
    name: string,
    what: string,
    words: readonly Word[],
    aliases?: ReadonlyMap<string, Word>,
  ): Word | undefined => {
    const field = fields.get(name);
    return field && reading.word(field.node, field.path, `unknown_${name}`, what, words, aliases);
  };
  const decision = word("decision", "decision", DECISIONS, new Map(OTHER_DECISIONS));
  if (decision !== undefined) found.decision = decision;
  const reason = word("reason", "reason code", REASON_CODES);
  if (reason !== undefined) found.reason = reason;
  const layer = word("layer", "layer", LAYERS);
  if (layer !== undefined) found.layer = layer;
  const rule = text("rule");
  if (rule !== undefined) found.rule = rule;
  const detail = text("detail");
  if (detail !== undefined) found.detail = detail;
  const violations = fields.get("violations");
  if (violations !== undefined) {
    const paths = reading.texts(violations.node, violations.path, "`violations`");
    if (paths !== undefined) found.violations = paths.map((path) => path.text);
  }
  const value = fields.get("value");
  if (value !== undefined) found.value = { is: plainValue(value.node) };
  const part = fields.get("value_includes");
  if (part !== undefined) found.valueIncludes = { is: plainValue(part.node) };
  refuseContradictions(found, fields, returned, reading);
  return found;
}

/** What no call can do: such a test would always fail, or hold for another reason than its author thinks. */
function refuseContradictions(
  { decision, reason, layer, rule, value, valueIncludes }: Expectation,
  fields: Fields,
  returned: boolean,
  { faults }: TreeReading,
): void {
  const contradiction = (name: string, message: string): void => {
    const field = fields.get(name);
    if (field !== undefined) faults.error("contradiction", message, field.path);
  };
  if (rule !== undefined && parseDocumentPath(rule) === undefined) {
    const message = `${quoted(rule)} is not the path of a rule: write it like \`policies[0].sequence[1]\``;
    contradiction("rule", message);
  }
  if (decision !== undefined && reason !== undefined && (decision === "allow") !== (reason === "ok")) {
    contradiction(
      "reason",
      `no call that is decided ${decision} has the reason \`${reason}\`: mend one of them`,
    );
  }
  const released = value === undefined ? valueIncludes && "value_includes" : "value";
  const denied = decision === "deny" || (reason !== undefined && reason !== "ok");
  if (released !== undefined && denied) {
    contradiction(
      released,
      `a denied call releases no value: leave \`${released}\` out, or expect \`allow\``,
    );
  }
  if (returned) return;
  const mend = "say what the function returns with `returns`";
  if (released !== undefined) contradiction(released, `there is no value to release: ${mend}`);
  if (reason === "output_validation" || reason === "output_sanitization") {
    contradiction("reason", `\`${reason}\` is about what the function returns: ${mend}`);
  } else if (layer === "output")
    contradiction("layer", `the output is judged only when there is one: ${mend}`);
}

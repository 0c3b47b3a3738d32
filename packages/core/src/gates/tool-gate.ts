import { compileToolMatcher, parseToolPattern } from "../document/tool-reference.js";
import { ALLOW_GATE, denied, type Gate, type GateOptions, InvalidGateError, makeGate } from "./gate.js";
import { inputOf, sortedTexts } from "./input-gates.js";

/** The input that names the tool of a call. */
const TOOL_KEY = "capability";

/** Allows when `capability` is matched by one of the tool patterns: an exact id, `*`, or a prefix such as `db.*`. */
export function tool(patterns: readonly string[], options: GateOptions = {}): Gate {
  const sorted = sortedPatterns("tool", patterns);
  const matcher = compileToolMatcher(sorted);
  return makeGate("tool", { patterns: sorted }, options, ({ inputs }, label) => {
    const id = inputOf(inputs, TOOL_KEY);
    if (typeof id !== "string") return denied("gate.tool.missing", { key: TOOL_KEY }, label);
    return matcher.matches(id) ? ALLOW_GATE : denied("gate.tool.mismatch", { key: TOOL_KEY }, label);
  });
}

/**
 * Tool patterns in their one order.
 *
 * @throws {InvalidGateError} for what is no pattern, a group included
 */
export function sortedPatterns(gate: string, patterns: readonly string[]): readonly string[] {
  const sorted = sortedTexts(gate, patterns);
  for (const pattern of sorted) {
    const parsed = parseToolPattern(pattern);
    if (!parsed.ok) throw new InvalidGateError(`\`${gate}\`: ${parsed.message}`);
  }
  return sorted;
}

import type { SequenceRule } from "../document/document.js";
import { compileToolMatcher, type ToolMatcher } from "../document/tool-reference.js";
import { compileSequence, MAX_STEPS } from "../sequence/program.js";
import { SequenceSpace } from "../sequence/space.js";
import { ALLOW_GATE, denied, type Gate, type GateOptions, InvalidGateError, makeGate } from "./gate.js";
import { inputOf } from "./input-gates.js";
import { textsAt } from "./path-gates.js";
import { sortedPatterns } from "./tool-gate.js";

/** Tools that a call may be of: a tool pattern, or several. */
export type SequenceStep = string | readonly string[];

/** A pattern of calls that must not end here, or one that excuses (and, where calls must be listed, permits). */
export type SequencePattern =
  | { readonly deny: readonly SequenceStep[]; readonly reason?: string }
  | { readonly allow: readonly SequenceStep[]; readonly reason?: string };

export interface SequenceOptions extends GateOptions {
  /** `deny`: an `allow` pattern must permit every call. Default `allow`. */
  readonly mode?: "allow" | "deny";
}

const HISTORY_PATH = "extensions.history";

/**
 * Allows when `capability` may follow the tool ids in `extensions.history` (oldest first), as the sequence rules of one
 * role of the policy language would. The calls of the history are taken to have been made one after the other, each
 * returned and released.
 *
 * @throws {InvalidGateError} for fewer than two steps of a `deny`, none of an `allow`, and more than 16
 */
export function sequence(rules: readonly SequencePattern[], options: SequenceOptions = {}): Gate {
  const { mode = "allow" } = options;
  const read = rules.map(readRule);
  const matchers = new Map<string, ToolMatcher>();
  const compiled = read.map(({ kind, steps, reason }, index): SequenceRule => {
    const references = steps.map((patterns) => {
      const reference = patterns.join(" "); // no pattern holds a blank
      if (!matchers.has(reference)) matchers.set(reference, compileToolMatcher(patterns));
      return reference;
    });
    const at = ["rules", index];
    return { kind, steps: references, at, ...(reason === undefined ? {} : { reason }) };
  });
  const role = { allowListed: mode === "deny", at: "rules", rules: compiled };
  const nothing = compileToolMatcher([]);
  const space = new SequenceSpace(compileSequence([role], (reference) => matchers.get(reference) ?? nothing));
  return makeGate("sequence", { mode, rules: read }, options, ({ inputs }, label) => {
    const tool = inputOf(inputs, "capability");
    const history = textsAt(inputs, HISTORY_PATH);
    if (typeof tool !== "string" || history === undefined) {
      return denied("gate.sequence.missing", { path: HISTORY_PATH }, label);
    }
    const { program } = space;
    let node = space.initial;
    for (const call of history) node = space.after(node, program.classOf(call), true);
    const denial = space.denial(node, program.classOf(tool));
    if (denial === undefined) return ALLOW_GATE;
    const { rule, reason } = denial;
    return denied("gate.sequence.violation", { rule, ...(reason === undefined ? {} : { reason }) }, label);
  });
}

interface ReadRule {
  readonly kind: "allow" | "deny";
  readonly steps: readonly (readonly string[])[];
  readonly reason?: string;
}

function readRule(rule: SequencePattern): ReadRule {
  const kind = "deny" in rule ? "deny" : "allow";
  const written = "deny" in rule ? rule.deny : rule.allow;
  const least = kind === "deny" ? 2 : 1;
  if (!Array.isArray(written) || written.length < least || written.length > MAX_STEPS) {
    throw new InvalidGateError(`\`${kind}\` of \`sequence\` must have ${least} to ${MAX_STEPS} steps`);
  }
  const steps = written.map((step: SequenceStep) =>
    sortedPatterns("sequence", typeof step === "string" ? [step] : step),
  );
  return { kind, steps, ...(rule.reason === undefined ? {} : { reason: rule.reason }) };
}

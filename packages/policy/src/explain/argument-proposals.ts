import type { InputRule } from "d2-core";
import { ruleWords, satisfies } from "./consulted-rules.js";
import type { Step } from "./explanation.js";
import type { Situation } from "./situation.js";

/** A change of the call, and what it makes of it. */
export interface Candidate {
  readonly step: Step;
  /** `undefined`: the change is said in words alone, and cannot be tried. */
  readonly after: Situation | undefined;
}

/** Values that many rules take, tried after those that come from the rule itself. */
const SAMPLES: readonly unknown[] = Object.freeze([
  1,
  0,
  "a",
  "abc",
  "A",
  "a1",
  "",
  true,
  false,
  "2026-01-01",
  "a@example.com",
  0.5,
]);

/** A change for every broken input rule: a value that satisfies it, or leaving the argument out, or the rule in words. */
export function argumentCandidates(rules: readonly InputRule[], situation: Situation): Candidate[] {
  return rules.filter((rule) => !satisfies(rule, situation)).map((rule) => candidateFor(rule, situation));
}

function candidateFor(rule: InputRule, situation: Situation): Candidate {
  for (const value of [...valuesOf(rule), ...SAMPLES]) {
    const after = withArgument(situation, rule.path, value);
    if (after === undefined || !satisfies(rule, after)) continue;
    const words = `give \`${rule.path}\` a value like ${JSON.stringify(value)}`;
    return { step: { kind: "argument", path: rule.path, value, words }, after };
  }
  const words = `give \`${rule.path}\` a value for which this holds: ${ruleWords(rule)}`;
  return { step: { kind: "argument", path: rule.path, words }, after: undefined };
}

/** Values that the operands suggest: policy content, and nothing of the caller's. */
function valuesOf({ checks }: InputRule): unknown[] {
  return checks.flatMap(({ violation: { operator, operand } }) => {
    switch (operator) {
      case "min":
      case "max":
      case "eq":
      case "startsWith":
      case "endsWith":
        return [operand];
      case "gt":
        return typeof operand === "number" ? [operand + 1, operand + 0.5] : [];
      case "lt":
        return typeof operand === "number" ? [operand - 1, operand - 0.5] : [];
      case "in":
        return Array.isArray(operand) ? operand : [operand];
      case "contains":
        return typeof operand === "string" ? [operand, [operand]] : [[operand]];
      case "minLength":
      case "maxLength":
        return typeof operand === "number" && operand <= 10_000
          ? ["a".repeat(operand), Array.from({ length: operand }, () => "a")]
          : [];
      case "matches":
        return typeof operand === "string" ? literalsOf(operand) : [];
      case "type":
        return ["a", 1, 0.5, true, [], {}, null];
    }
    return [];
  });
}

/** Texts that a pattern may match: the pattern without its signs, and the ways of its first choice. */
function literalsOf(pattern: string): string[] {
  const plain = pattern.replace(/^\^|\$$/g, "");
  const choices = /\(\??:?([^()]*)\)/.exec(plain)?.[1]?.split("|") ?? [];
  const expanded = choices.map((choice) => plain.replace(/\(\??:?[^()]*\)/, choice));
  return [plain, ...expanded, ...choices].map((text) => text.replace(/\\(.)/g, "$1").replace(/[*+?]/g, ""));
}

/** The call with another value under a dotted path. `undefined`: the path begins with no argument that can be set. */
export function withArgument(situation: Situation, path: string, value: unknown): Situation | undefined {
  const [first = "", ...rest] = path.split(".");
  const { names, args } = situation;
  if (names !== undefined) {
    const position = names.positions.get(first);
    if (position === undefined || first === names.rest) return undefined;
    const filled = Array.from({ length: Math.max(args.length, position + 1) }, (_, at) => args[at]);
    return { ...situation, args: filled.with(position, replaced(args[position], rest, value)) };
  }
  if (args.length > 1) return undefined;
  return { ...situation, args: [replaced(args[0], [first, ...rest], value)] };
}

function replaced(holder: unknown, path: readonly string[], value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (Array.isArray(holder)) return holder.map((item) => replaced(item, path, value));
  const plain: { [key: string]: unknown } = Object.create(null);
  if (typeof holder === "object" && holder !== null) Object.assign(plain, holder);
  plain[first] = replaced(plain[first], rest, value);
  return plain;
}

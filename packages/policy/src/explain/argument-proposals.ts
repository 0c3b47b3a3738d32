import type { InputRule } from "d2-core";
import { LEFT_OUT, valuesAt, withArgument } from "./argument-paths.js";
import { valuesFor } from "./argument-values.js";
import { ruleWords, satisfies } from "./consulted-rules.js";
import type { Step } from "./explanation.js";
import { entryOf, type Situation } from "./situation.js";

/** Steps, and what they make of a call. */
export interface Candidate {
  readonly steps: readonly Step[];
  readonly after: Situation;
}

/** Ways to join the changes of several arguments. */
const MAX_JOINED = 24;

/** Changes of the arguments: for every path with a broken rule a value that satisfies it, or leaving it out. */
export function argumentCandidates(situation: Situation): Candidate[] {
  const { names, args } = situation;
  if (names !== undefined && names.rest === undefined && args.length > names.count) {
    const words = "leave out the arguments that `params` has no name for";
    const after = { ...situation, args: args.slice(0, names.count) };
    const beyond: Candidate = { steps: [{ kind: "arguments", words }], after };
    return [beyond, ...joined(after).map((it) => ({ ...it, steps: [...beyond.steps, ...it.steps] }))];
  }
  return joined(situation);
}

/** What the broken rules ask for, in words. */
export function argumentWords(situation: Situation): Step[] {
  const plan = entryOf(situation)?.input;
  const { names, args } = situation;
  if (names === undefined && (args.length > 1 || (args.length === 1 && !isPlain(args[0])))) {
    const words = "pass one plain object whose keys name the arguments, or give the guard `params`";
    return [{ kind: "arguments", words }];
  }
  return broken(plan?.rules ?? [], situation).map((rule) => ({
    kind: "argument",
    path: rule.path,
    words: `give \`${rule.path}\` a value that is ${ruleWords(rule)}`,
  }));
}

/** Whether some path with a broken rule has no value that could be proposed. */
export function hasUnmadeValue(situation: Situation): boolean {
  const rules = entryOf(situation)?.input?.rules ?? [];
  const paths = [...new Set(broken(rules, situation).map(({ path }) => path))];
  return paths.some((path) =>
    optionsOf(path, rules, situation).every(({ steps }) => steps.every(({ kind }) => kind !== "argument")),
  );
}

function isPlain(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function broken(rules: readonly InputRule[], situation: Situation): InputRule[] {
  return rules.filter((rule) => !satisfies(rule, situation));
}

/** One option of every path with a broken rule, in all ways, the first ones first. */
function joined(situation: Situation): Candidate[] {
  const rules = entryOf(situation)?.input?.rules ?? [];
  const paths = [...new Set(broken(rules, situation).map(({ path }) => path))];
  if (paths.length === 0) return [];
  let candidates: Candidate[] = [{ steps: [], after: situation }];
  for (const path of paths) {
    candidates = candidates
      .flatMap(({ steps, after }) =>
        optionsOf(path, rules, after).map((it) => ({ ...it, steps: [...steps, ...it.steps] })),
      )
      .slice(0, MAX_JOINED);
  }
  return candidates;
}

/** The ways to satisfy the rules of one path. */
function optionsOf(path: string, rules: readonly InputRule[], situation: Situation): Candidate[] {
  const own = rules.filter((rule) => rule.path === path);
  // Another path's change may have mended this one already.
  if (broken(own, situation).length === 0) return [{ steps: [], after: situation }];
  const present = valuesAt(situation, path);
  const values = valuesFor(own, ({ holds }) => present.some((value) => !safely(() => holds(value))));
  const set = values.map((value) => {
    const words = `give \`${path}\` the value ${JSON.stringify(value)}`;
    return { step: { kind: "argument", path, value, words } as const, value };
  });
  const out = {
    step: { kind: "argument_left_out", path, words: `leave \`${path}\` out` } as const,
    value: LEFT_OUT,
  };
  return [...set, out].flatMap(({ step, value }) => {
    const args = withArgument(situation, path, value);
    if (args === undefined) return [];
    const after = { ...situation, args };
    return broken(own, after).length === 0 ? [{ steps: [step], after }] : [];
  });
}

function safely(holds: () => boolean): boolean {
  try {
    return holds();
  } catch {
    return false; // what cannot be judged does not hold
  }
}

/** Pairs of random policies to compare: two of their own, or one and what a small change makes of it. */
import type { AuthoredEntry, AuthoredPolicy, AuthoredRule } from "./reference/authored.js";
import { listOf } from "./reference/authored.js";
import { Dice } from "./reference/dice.js";
import { generateCase } from "./reference/generator.js";
import { randomValue } from "./reference/random-values.js";

export interface PolicyPair {
  readonly before: AuthoredPolicy;
  readonly after: AuthoredPolicy;
  /** Named arguments, and returned values, that the rules are likely to meet. */
  readonly args: readonly Readonly<Record<string, unknown>>[];
  readonly outputs: readonly unknown[];
}

const isAboutValues = (policy: AuthoredPolicy) => JSON.stringify(policy).includes('"t.');

/** The pair of a seed, always the same one. */
export function generatePair(seed: number): PolicyPair {
  const dice = new Dice(seed ^ 0x5eed);
  const one = generateCase(seed);
  const values = isAboutValues(one.policy);
  let other = one;
  if (dice.chance(0.25)) {
    for (let next = 1; other === one || isAboutValues(other.policy) !== values; next += 1)
      other = generateCase(seed * 7919 + next);
  }
  const cases = [one, other];
  let after = other.policy;
  const changes = other === one ? dice.between(1, 3) : 0;
  for (let count = 0; count < changes; count += 1) after = mutated(dice, after);
  const args = cases.flatMap(({ script }) => script.flatMap((it) => (it.do === "start" ? [it.args] : [])));
  const returned = cases.flatMap(({ script }) =>
    script.flatMap((it) => (it.do === "end" && "returned" in it.ending ? [it.ending.returned] : [])),
  );
  const record = () => Object.fromEntries(["a", "b", "list"].map((key) => [key, randomValue(dice, 2)]));
  const more = values ? dice.some(6, record) : [];
  return {
    before: one.policy,
    after,
    args: values ? [...args, ...more, {}] : [{}],
    outputs: values ? [...returned, ...more, ...more.map(Object.values)] : returned.slice(0, 4),
  };
}

type Change = (dice: Dice, policy: AuthoredPolicy) => AuthoredPolicy;

/** The policy with one entry replaced. */
const inEntry =
  (change: (dice: Dice, entry: AuthoredEntry, policy: AuthoredPolicy) => AuthoredEntry): Change =>
  (dice, policy) => {
    const at = dice.between(0, policy.policies.length - 1);
    const policies = policy.policies.map((entry, index) =>
      index === at ? change(dice, entry, policy) : entry,
    );
    return { ...policy, policies };
  };

const without = <T>(dice: Dice, list: readonly T[]): readonly T[] => {
  const at = dice.between(0, Math.max(0, list.length - 1));
  return list.filter((_, index) => index !== at);
};

const permissionsOf = ({ permissions }: AuthoredEntry) => listOf(permissions);

const inRules =
  (
    change: (dice: Dice, rules: readonly AuthoredRule[], tools: readonly string[]) => readonly AuthoredRule[],
  ) =>
  (dice: Dice, entry: AuthoredEntry, policy: AuthoredPolicy): AuthoredEntry => {
    const { sequence } = entry;
    const mode = sequence !== undefined && "mode" in sequence ? sequence.mode : undefined;
    const rules = sequence === undefined ? [] : "length" in sequence ? sequence : (sequence.rules ?? []);
    return { ...entry, sequence: { mode: mode ?? "allow", rules: change(dice, rules, toolsOf(policy)) } };
  };

function toolsOf({ policies }: AuthoredPolicy): readonly string[] {
  const granted = policies
    .flatMap(permissionsOf)
    .map((it) => (typeof it === "string" ? it : (it.tool ?? it.id ?? "*")));
  return granted.length === 0 ? ["*"] : granted;
}

const CHANGES: readonly Change[] = [
  inEntry((dice, entry) => ({ ...entry, permissions: without(dice, permissionsOf(entry)) })),
  inEntry((dice, entry, policy) => ({
    ...entry,
    permissions: [...permissionsOf(entry), dice.pick(policy.policies.flatMap(permissionsOf).concat("db.*"))],
  })),
  inEntry((dice, entry, policy) => ({
    ...entry,
    permissions: [...permissionsOf(entry), { tool: dice.pick(toolsOf(policy)), allow: false }],
  })),
  inEntry(inRules((dice, rules) => without(dice, rules))),
  inEntry(inRules((dice, rules, tools) => [...rules, { deny: dice.some(2, () => dice.pick(tools)) }])),
  inEntry(
    inRules((dice, rules, tools) => [
      ...rules,
      { allow: dice.some(dice.between(1, 3), () => dice.pick(tools)) },
    ]),
  ),
  inEntry(inRules((_dice, rules) => [...rules].reverse())),
  inEntry((_dice, { sequence = [], ...entry }) => {
    const listed = "mode" in sequence && sequence.mode === "deny";
    const rules = "length" in sequence ? sequence : (sequence.rules ?? []);
    return { ...entry, sequence: { mode: listed ? "allow" : "deny", rules } };
  }),
  (dice, policy) => ({ ...policy, policies: without(dice, policy.policies) }),
  (dice, policy) => ({ ...policy, policies: [...policy.policies, dice.pick(policy.policies)] }),
  (dice, policy) =>
    JSON.parse(JSON.stringify(policy).replaceAll(`"${dice.pick(["r0", "r1"])}"`, '"renamed"')),
  (dice, policy) =>
    JSON.parse(
      JSON.stringify(policy).replaceAll(dice.pick(["PII", "PCI", "@g", '"g"']), (it) =>
        it.replace(/\w/, "X$&"),
      ),
    ),
  inConditions((dice, operand) =>
    typeof operand === "number" ? operand + dice.pick([-2, -1, 1, 2]) : operand,
  ),
  inConditions((dice, operand) => (Array.isArray(operand) ? without(dice, operand) : operand)),
  inConditions((dice, operand) =>
    Array.isArray(operand) ? [...operand, dice.pick(["a", "b", 1])] : operand,
  ),
  inConditions((dice, operand) =>
    typeof operand === "string" ? dice.pick(["a", "b", "abc", "secret", "redact"]) : operand,
  ),
  inMappings((dice, entries) => without(dice, entries)),
  inMappings((_dice, entries) => [...entries].reverse()),
  inMappings((dice, entries) => [
    ...entries,
    ["list", dice.pick([{ required: true }, { max: 1 }, { maxLength: 1 }])],
  ]),
  inMappings((dice, entries) => [...entries, ["c", { action: dice.pick(["redact", "filter", "deny"]) }]]),
];

/** Changes one operand, wherever it stands. */
function inConditions(change: (dice: Dice, operand: unknown) => unknown): Change {
  return (dice, policy) => {
    const rest = JSON.parse(JSON.stringify(policy)) as AuthoredPolicy; // a copy of the same shape
    return JSON.parse(
      JSON.stringify(rest, (key, value: unknown) =>
        /^(min|max|gt|lt|minLength|maxLength|max_bytes|in|not_in|eq|ne|type|matches|startsWith|contains|deny_if_patterns|action)$/.test(
          key,
        ) && dice.chance(0.4)
          ? change(dice, value)
          : value,
      ),
    );
  };
}

/** Changes the keys of one mapping among the conditions and the labels. */
function inMappings(
  change: (dice: Dice, entries: readonly [string, unknown][]) => readonly (readonly [string, unknown])[],
): Change {
  return (dice, policy) =>
    JSON.parse(
      JSON.stringify(policy, (key, value: unknown) =>
        /^(input|output|labels|blocks|[abc]|list)$/.test(key) && isMapping(value) && dice.chance(0.3)
          ? Object.fromEntries(change(dice, Object.entries(value)))
          : value,
      ),
    );
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mutated(dice: Dice, policy: AuthoredPolicy): AuthoredPolicy {
  return policy.policies.length === 0 ? policy : dice.pick(CHANGES)(dice, policy);
}

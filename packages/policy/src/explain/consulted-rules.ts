import {
  compileToolMatcher,
  formatDocumentPath,
  type InputRule,
  judgeInput,
  OPERATORS,
  type PolicyDocument,
  type PolicyValue,
  SequenceSpace,
} from "d2-core";
import type { ConsultedRule } from "./explanation.js";
import { entryOf, type Situation, sequenceDenial, sessionOf } from "./situation.js";

/** Whether a tool reference of the document, a group included, matches a tool. */
export function refersTo(document: PolicyDocument, reference: string, tool: string): boolean {
  const group = document.toolGroups.find(({ name }) => `@${name}` === reference);
  return compileToolMatcher(group?.tools ?? [reference]).matches(tool);
}

/** The rules that had a say in the decision, layer by layer, each layer in the order of the document. */
export function consultedRules(document: PolicyDocument, situation: Situation): ConsultedRule[] {
  return [
    ...permissions(document, situation),
    ...sequences(situation),
    ...blocks(situation),
    ...(entryOf(situation)?.input?.rules ?? []).map((rule) => inputRule(rule, situation)),
  ];
}

function permissions(document: PolicyDocument, { roles = [], tool }: Situation): ConsultedRule[] {
  return document.policies.flatMap((entry) => {
    const held = entry.roles.filter((role) => roles.includes(role));
    if (held.length === 0) return [];
    return entry.permissions
      .filter((permission) => refersTo(document, permission.tool, tool))
      .map(({ allow, tool: reference, at }) => ({
        rule: formatDocumentPath(at),
        effect: allow ? ("granted" as const) : ("forbade" as const),
        words: `${held.map((role) => `\`${role}\``).join(", ")} ${allow ? "may call" : "may never call"} \`${reference}\``,
      }));
  });
}

/** The deny patterns that end at the tool, and the rule that refused it because no allow pattern permits it. */
function sequences(situation: Situation): ConsultedRule[] {
  const entry = entryOf(situation);
  if (entry?.space === undefined) return [];
  const { program } = entry.space;
  const { toolClass, tool } = entry;
  const session = sessionOf(situation);
  const patterns = program.roles.flatMap((role) =>
    role.deny
      .filter(({ steps }) => program.matches(toolClass, steps.at(-1) ?? -1))
      .map((pattern): ConsultedRule => {
        // The pattern by itself, with the allow patterns of its role, which may excuse what it finds.
        const alone = new SequenceSpace({
          ...program,
          roles: [{ ...role, allowListed: false, deny: [pattern] }],
        });
        const denied = session.tracker(alone).denial(session, tool, toolClass, 0) !== undefined;
        const why = pattern.reason === undefined ? "" : `: ${pattern.reason}`;
        const may = denied ? "may not follow" : "does not follow, or is excused for following,";
        const what = denied ? "what this session has called before" : "what it must not follow";
        const words = `\`${tool}\` ${may} ${what}${why}`;
        return { rule: pattern.rule, effect: denied ? "matched" : "satisfied", words };
      }),
  );
  const denial = sequenceDenial(situation);
  if (denial === undefined || patterns.some(({ rule }) => rule === denial.rule)) return distinct(patterns);
  const words = `\`${tool}\` is permitted by no allow pattern after what this session has called before`;
  return distinct([...patterns, { rule: denial.rule, effect: "matched", words }]);
}

/** A rule of an entry for several roles of the user is one rule; broken for one role, it is broken. */
function distinct(rules: readonly ConsultedRule[]): ConsultedRule[] {
  const byRule = new Map<string, ConsultedRule>();
  for (const rule of rules) {
    if (byRule.get(rule.rule)?.effect !== "matched") byRule.set(rule.rule, rule);
  }
  return [...byRule.values()];
}

function blocks(situation: Situation): ConsultedRule[] {
  const { facts } = sessionOf(situation);
  return (entryOf(situation)?.blocks ?? []).map(({ label, denial }) => {
    const touched = facts.has(label);
    const has = touched ? "has been touched, and that blocks" : "has not been touched, which would block";
    return {
      rule: denial.rule ?? "",
      effect: touched ? ("blocked" as const) : ("satisfied" as const),
      words: `data labelled \`${label}\` ${has} \`${situation.tool}\``,
    };
  });
}

function inputRule(rule: InputRule, situation: Situation): ConsultedRule {
  return {
    rule: rule.at,
    effect: satisfies(rule, situation) ? "satisfied" : "violated",
    words: `\`${rule.path}\` must be ${ruleWords(rule)}`,
  };
}

/** Whether the call's arguments satisfy one rule, whatever the others say. */
export function satisfies(rule: InputRule, { names, args }: Situation): boolean {
  // Arguments beyond the names are a fault of the call and not of a rule.
  const own = names !== undefined && names.rest === undefined ? args.slice(0, names.count) : args;
  try {
    return judgeInput({ rules: [rule], whole: [], onlyWhole: false }, names, own).ok;
  } catch {
    return false; // what cannot be judged is refused
  }
}

/** What a rule asks of its argument: `of type int, at least 1, at most 100`. */
export function ruleWords({ required, checks }: InputRule): string {
  const uses = checks.map(({ violation: { operator, operand } }) => operatorWords(operator, operand));
  return [...(required === undefined ? [] : ["present and not null"]), ...uses].join(", ");
}

/** What an operator asks for: `at most 100`. */
export function operatorWords(name: string, operand: unknown): string {
  const known = [...OPERATORS.values()].find((operator) => operator.name === name);
  // A violation of a compiled rule holds the operand as the check of the document let it through.
  return known === undefined ? name : known.words(operand as PolicyValue);
}

import {
  compileToolMatcher,
  formatDocumentPath,
  type InputRule,
  judgeInput,
  type PolicyDocument,
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

function sequences(situation: Situation): ConsultedRule[] {
  const denial = sequenceDenial(situation);
  if (denial === undefined) return [];
  const why = denial.reason === undefined ? "" : `: ${denial.reason}`;
  const words = `\`${situation.tool}\` may not follow what this session has called before${why}`;
  return [{ rule: denial.rule, effect: "matched", words }];
}

function blocks(situation: Situation): ConsultedRule[] {
  const { facts } = sessionOf(situation);
  return (entryOf(situation)?.blocks ?? [])
    .filter(({ label }) => facts.has(label))
    .map(({ label, denial }) => ({
      rule: denial.rule ?? "",
      effect: "blocked" as const,
      words: `data labelled \`${label}\` has been touched, and that blocks \`${situation.tool}\``,
    }));
}

function inputRule(rule: InputRule, situation: Situation): ConsultedRule {
  return {
    rule: rule.at,
    effect: satisfies(rule, situation) ? "satisfied" : "violated",
    words: ruleWords(rule),
  };
}

/** Whether the call's arguments satisfy one rule, whatever the others say. */
export function satisfies(rule: InputRule, { names, args }: Situation): boolean {
  return judgeInput({ rules: [rule], whole: [], onlyWhole: false }, names, args).ok;
}

/** A rule on an argument in words: `limit`: min 1, max 10. */
export function ruleWords({ path, required, checks }: InputRule): string {
  const uses = checks.map(({ violation }) => `${violation.operator} ${JSON.stringify(violation.operand)}`);
  return `\`${path}\`: ${[...(required === undefined ? [] : ["required"]), ...uses].join(", ")}`;
}

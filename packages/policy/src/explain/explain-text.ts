import { type Marks, NO_MARKS } from "../marks.js";
import type { ConsultedRule, Explanation, LayerVerdict, ProposedChange } from "./explanation.js";

/**
 * An explanation in lines of plain words, in the order of its parts.
 *
 * @param file the policy, as places in it are to be named; default: lines alone
 */
export function explainText(explanation: Explanation, marks: Marks = NO_MARKS, file?: string): string {
  const { tool, decision, release, layers, rules, changes, close } = explanation;
  const place = placesOf(rules, marks, file);
  const lines = [
    `\`${tool}\` for ${who(explanation)}: ${outcome(decision, marks)}${place(decision.rule, " by ")}`,
    ...layers.map((layer) => layerLine(layer, marks)),
  ];
  if (release !== undefined) lines.push(`  released: ${outcome(release.decision, marks)}`);
  if (rules.length > 0) lines.push(marks.strong("rules:"));
  for (const { rule, effect, words } of rules) {
    lines.push(`  ${effect.padEnd(10)}${words}${place(rule, " (", ")")}`);
  }
  if (changes.length > 0) lines.push(marks.strong("would be allowed by:"), ...changes.map(changeLine));
  if (close.length > 0) lines.push(marks.strong("close:"));
  for (const { words, rule } of close) lines.push(`  ${words}${place(rule, " (", ")")}`);
  return `${lines.join("\n")}\n`;
}

function who({ roles }: Explanation): string {
  return roles.length === 0 ? "nobody's roles" : roles.map((role) => `\`${role}\``).join(", ");
}

function outcome({ outcome, reason }: Explanation["decision"], marks: Marks): string {
  return outcome === "allow" ? marks.good(`${outcome}, ${reason}`) : marks.bad(`${outcome}, ${reason}`);
}

function layerLine({ layer, verdict, would, reason, rule }: LayerVerdict, marks: Marks): string {
  const hidden = verdict === "not_reached" && would === "deny" ? `, would deny: ${reason}` : "";
  const line = `  ${layer.padEnd(13)}${verdict.replaceAll("_", " ")}${hidden}${rule === undefined ? "" : ` by ${rule}`}`;
  return verdict === "deny" ? marks.bad(line) : verdict === "pass" ? line : marks.faint(line);
}

function changeLine({ steps, verified }: ProposedChange): string {
  return `  ${steps.map(({ words }) => words).join("; and ")}${verified ? "" : " (not tried)"}`;
}

/** Names a rule with its place, as far as that is known. */
function placesOf(
  rules: readonly ConsultedRule[],
  marks: Marks,
  file: string | undefined,
): (rule: string | undefined, before: string, after?: string) => string {
  const places = new Map(rules.map(({ rule, line, column }) => [rule, { line, column }]));
  return (rule, before, after = "") => {
    if (rule === undefined) return "";
    const { line, column } = places.get(rule) ?? {};
    const at =
      line === undefined ? "" : file === undefined ? `, line ${line}` : ` at ${file}:${line}:${column}`;
    return marks.faint(`${before}${rule}${at}${after}`);
  };
}

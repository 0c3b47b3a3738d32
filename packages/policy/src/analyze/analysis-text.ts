import { type Marks, NO_MARKS } from "../marks.js";
import type { Analysis, Answer, BlockReach, Closing, Finding, PathStep, Unfinished } from "./analysis.js";

/** Searches without an end that are shown one by one. */
const SHOWN_UNFINISHED = 10;

/** An analysis in lines of plain words. */
export function analysisText(analysis: Analysis, marks: Marks = NO_MARKS): string {
  const { question, answers, blocks, findings, unfinished, states } = analysis;
  const lines =
    question.to === undefined
      ? [
          ...blocks.flatMap((it) => blockLines(it, marks)),
          ...findings.flatMap((it) => findingLines(it, marks)),
        ]
      : answers.flatMap((it) => answerLines(it, marks));
  const nothing = question.to === undefined && findings.length === 0 && unfinished.length === 0;
  if (nothing) lines.push(marks.good("nothing in the policy is idle, dead or out of reach"));
  lines.push(...unfinished.slice(0, SHOWN_UNFINISHED).map((it) => unfinishedLine(it, marks)));
  const more = unfinished.length - SHOWN_UNFINISHED;
  if (more > 0)
    lines.push(marks.warn(`and ${more} more searches that were stopped: a higher bound finishes more`));
  lines.push(marks.faint(`${states} ${states === 1 ? "state" : "states"} looked at`));
  return `${lines.join("\n")}\n`;
}

function answerLines(answer: Answer, marks: Marks): string[] {
  const { words } = answer;
  switch (answer.answer) {
    case "cannot":
      return [
        `${marks.good("cannot")}  ${words}`,
        `  proved for ${coversWords(answer.covers)}, ${answer.states} states`,
        ...answer.closedBy.map((it) => `  closed by ${closingWords(it, marks)}`),
      ];
    case "can":
      return [
        `${marks.bad("can")}  ${words}:`,
        ...answer.path.map((it, at) => stepLine(it, at, answer.path)),
      ];
    case "possible":
      return [
        `${marks.warn("possible")}  ${words}`,
        ...answer.path.map((it, at) => stepLine(it, at, answer.path)),
      ];
    case "stopped":
      return [
        `${marks.warn("stopped")}  ${words}`,
        `  stopped after ${answer.states} states (${stopWords(answer.why)}); no sequence of ${answer.calls} calls does it`,
      ];
  }
}

function coversWords(covers: "any interleaving" | "calls one after another"): string {
  return covers === "any interleaving"
    ? "all arguments, and calls in any interleaving"
    : "all arguments, and calls made one after another (not for calls that overlap)";
}

function stepLine({ tool, stands, ends, args }: PathStep, at: number, path: readonly PathStep[]): string {
  const any = stands === undefined ? "" : `, any tool of \`${stands}\``;
  const given =
    args === undefined
      ? " (no arguments made up)"
      : Object.keys(args).length === 0
        ? ""
        : ` ${JSON.stringify(args)}`;
  const end = at === path.length - 1 ? "allowed" : ends === "released" ? "returns" : "throws";
  return `  ${at + 1}. \`${tool}\`${given}${any}: ${end}`;
}

function closingWords({ layer, rule, words, ...place }: Closing, marks: Marks): string {
  const name = layer === "data_flow" ? "data flow" : layer;
  return `${name}: ${words}${rule === undefined ? "" : ` ${marks.faint(`(${placeWords({ rule, ...place })})`)}`}`;
}

function placeWords(at: { readonly rule: string; readonly line?: number; readonly column?: number }): string {
  return at.line === undefined ? at.rule : `${at.rule}, line ${at.line}`;
}

function blockLines({ label, tools, stops, idle, unknown, ...place }: BlockReach, marks: Marks): string[] {
  const named = (roles: readonly string[]) => roles.map((role) => `\`${role}\``).join(", ");
  const head = `${marks.strong(`\`${label}\``)} blocks ${tools.map((tool) => `\`${tool}\``).join(", ")}`;
  return [
    `${head} ${marks.faint(`(${placeWords(place)})`)}`,
    ...(stops.length === 0 ? [] : [`  reached, and stopped by it: ${named(stops)}`]),
    ...(idle.length === 0 ? [] : [`  never needed: ${named(idle)}`]),
    ...(unknown.length === 0 ? [] : [`  not known: ${named(unknown)}`]),
  ];
}

function findingLines({ words, certain, scope, roles, rule, ...place }: Finding, marks: Marks): string[] {
  const at = rule === undefined ? "" : ` ${marks.faint(`(${placeWords({ rule, ...place })})`)}`;
  const whom = scope === "any user" || roles.length === 0 ? scope : `${scope}: ${roles.join(", ")}`;
  return [
    `${certain ? marks.bad("found") : marks.warn("possible")}  ${words}${at}`,
    `  ${marks.faint(`for ${whom}`)}`,
  ];
}

function unfinishedLine({ what, rule, roles, states, why }: Unfinished, marks: Marks): string {
  const at = rule === undefined ? "" : ` (${rule})`;
  const whom = roles.map((role) => `\`${role}\``).join(", ");
  return `${marks.warn("stopped")}  ${what}${at} for ${whom}: after ${states} states (${stopWords(why)})`;
}

function stopWords(why: "states" | "threads"): string {
  return why === "states" ? "the bound" : "a rule has too many ways to be excused";
}

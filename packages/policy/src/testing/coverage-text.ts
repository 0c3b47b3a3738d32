import { type Marks, NO_MARKS } from "../marks.js";
import type { Coverage, CoverageItem, CoverageKind } from "./coverage.js";
import { printable } from "./printable.js";

const TITLES: { readonly [Kind in CoverageKind]: string } = {
  role: "roles",
  permission: "permissions",
  denial: "forbidden tools",
  sequence_rule: "sequence rules",
  label: "labels",
  block: "blocks",
  input_rule: "input rules",
  output_rule: "output rules",
  action: "actions",
  global_rule: "global rules",
};

/** Coverage in lines: what share of what the policy can do was seen, by kind, and all that was not. */
export function coverageText(coverage: Coverage, marks: Marks = NO_MARKS): string {
  const { seen, of, percent, kinds, items, policyFile } = coverage;
  const paint = percent === 100 ? marks.good : marks.warn;
  const lines = [`${marks.strong("coverage")}: ${paint(`${percent} %`)} (${seen} of ${of} outcomes seen)`];
  for (const { kind, ...share } of kinds) {
    const title = TITLES[kind].padEnd(17);
    const count = `${share.seen} of ${share.of}`.padStart(11);
    lines.push(`  ${title}${count}${`${share.percent} %`.padStart(9)}`);
  }
  const unseen = items.flatMap((item) => unseenLine(item, policyFile, marks));
  if (unseen.length > 0) lines.push("", marks.strong("not seen by any test:"), ...unseen);
  return `${lines.join("\n")}\n`;
}

function unseenLine(item: CoverageItem, policyFile: string | undefined, marks: Marks): string[] {
  const unseen = item.outcomes.filter(({ hits }) => hits === 0).map(({ outcome }) => outcome);
  if (unseen.length === 0) return [];
  const { line, column, rule } = item;
  const place =
    line === undefined ? rule : [policyFile, line, column].filter((part) => part !== undefined).join(":");
  return [`  ${marks.faint(printable(place))}  ${printable(item.words)}: ${marks.warn(unseen.join(", "))}`];
}

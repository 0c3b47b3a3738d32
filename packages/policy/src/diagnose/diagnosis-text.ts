import { quoted } from "d2-core";
import { counted } from "../counted.js";
import { formatDiagnostics } from "../format-diagnostics.js";
import { wrapped } from "../inspect/tree-lines.js";
import { type Marks, NO_MARKS } from "../marks.js";
import type { Diagnosis } from "./diagnosis.js";

export interface DiagnosisTextOptions {
  /** The policy's text, to show the lines that diagnostics are about. */
  readonly text?: string | undefined;
  /** The policy's file, named where the diagnosis does not. */
  readonly file?: string | undefined;
  /** Gives the text of a file of the program, to show its lines. */
  readonly codeText?: ((file: string) => string | undefined) | undefined;
  /** ANSI colours in the diagnostics. Default false. */
  readonly color?: boolean | undefined;
  readonly marks?: Marks | undefined;
}

/** Prints a diagnosis: the diagnostics with their lines, the limits, the actions in words, and how many errors there are. */
export function diagnosisText(diagnosis: Diagnosis, options: DiagnosisTextOptions = {}): string {
  const { marks = NO_MARKS, text, color, codeText } = options;
  const file = diagnosis.file ?? options.file;
  const { diagnostics, codeDiagnostics, actions, notes, code } = diagnosis;
  const sections: string[] = [];
  if (diagnostics.length > 0) sections.push(formatDiagnostics(diagnostics, { text, file, color }));
  for (const diagnostic of codeDiagnostics) {
    const source = diagnostic.file === undefined ? undefined : codeText?.(diagnostic.file);
    sections.push(formatDiagnostics([diagnostic], { text: source, color }));
  }
  sections.push([marks.strong("limits"), ...limitLines(diagnosis)].join("\n"));
  if (code !== undefined) {
    const { scanned, tools, dynamic } = code;
    const found = `${counted(tools, "guarded tool")} in ${counted(scanned, "file")}`;
    const unknown =
      dynamic === 0 ? "" : `, and ${counted(dynamic, "guard")} whose id is worked out at run time`;
    sections.push([marks.strong("program"), `  ${found}${unknown}`].join("\n"));
  }
  if (actions.length > 0) {
    const lines = actions.flatMap(({ line, column, tool, rule, words }, at) => {
      const place = `  ${[file, line, column].filter((part) => part !== undefined).join(":")}  `;
      const heading =
        permissionOf(rule) === permissionOf(actions[at - 1]?.rule ?? "") ? [] : [`  ${quoted(tool)}`];
      const [first = "", ...rest] = wrapped(words, Math.max(40, WIDTH - place.length - 2));
      const indent = " ".repeat(place.length + 2);
      return [...heading, `  ${marks.faint(place)}${first}`, ...rest.map((more) => `${indent}  ${more}`)];
    });
    const below = notes.map((note) => marks.faint(`  (${note})`));
    sections.push([marks.strong("actions"), ...lines, ...below].join("\n"));
  }
  sections.push(summary(diagnosis, marks));
  return `${sections.join("\n\n")}\n`;
}

/** Columns that a line may take. */
const WIDTH = 100;

/** The part of a rule's document path that names its permission. */
function permissionOf(rule: string): string {
  return /^policies\[\d+\]\.permissions(?:\[\d+\])?/.exec(rule)?.[0] ?? rule;
}

function limitLines({ limits: { bytes, tools, expires } }: Diagnosis): string[] {
  return [
    bytes.used > bytes.max
      ? `  size     more than ${bytes.max} bytes, which is the most`
      : `  size     ${bytes.used} of ${bytes.max} bytes`,
    ...(tools === undefined ? [] : [`  tools    ${tools.used} of ${tools.max}`]),
    ...(expires === undefined ? [] : [`  expires  ${expires.at}, ${daysWords(expires.daysLeft)}`]),
  ];
}

function daysWords(daysLeft: number): string {
  if (daysLeft < 0) return "in the past";
  return daysLeft === 0 ? "in less than a day" : `in ${counted(daysLeft, "day")}`;
}

function summary({ errors, warnings }: Diagnosis, marks: Marks): string {
  if (errors === 0 && warnings === 0) return marks.good("no errors, no warnings");
  const found = `${counted(errors, "error")}, ${counted(warnings, "warning")}`;
  return errors > 0 ? marks.bad(found) : marks.warn(found);
}

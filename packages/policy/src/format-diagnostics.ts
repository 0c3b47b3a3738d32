import { codePointName, type Diagnostic, findUnseenCharacter } from "d2-core";
import { LineIndex, offsetOfColumn } from "./line-index.js";

export interface FormatOptions {
  /** The text that the lines and columns are of; without it no source lines are shown. */
  readonly text?: string | undefined;
  /** Named where a diagnostic has no file of its own. */
  readonly file?: string | undefined;
  /** ANSI colours. Default false. */
  readonly color?: boolean | undefined;
}

/** Code points of a source line that are shown; a longer one is cut around the place. */
const MAX_LINE = 160;

/**
 * Prints diagnostics the way compilers do: message, place, source line with carets, help. One block for each, with an
 * empty line between them.
 *
 * ```
 * error[unknown_operator]: `minimum` is not an operator: did you mean `min`?
 *  --> policy.yaml:9:21
 *   |
 * 9 |             limit: {minimum: 1}
 *   |                     ^^^^^^^ help: write `min`
 *   = at policies[0].permissions[0].conditions.input.limit.minimum
 * ```
 *
 * Control characters and those that change the reading direction are shown by their code point names.
 */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], options: FormatOptions = {}): string {
  const lines = options.text === undefined ? undefined : new LineIndex(options.text.replace(/^\ufeff/, ""));
  const paint = options.color === true ? painted : plain;
  return diagnostics.map((diagnostic) => formatOne(diagnostic, lines, options.file, paint)).join("\n\n");
}

type Style = "error" | "warning" | "bold" | "frame" | "help";
type Paint = (style: Style, text: string) => string;

const CODES: { readonly [Name in Style]: string } = {
  error: "1;31",
  warning: "1;33",
  bold: "1",
  frame: "1;34",
  help: "1;36",
};

const plain: Paint = (_style, text) => text;
const painted: Paint = (style, text) => `\u001b[${CODES[style]}m${text}\u001b[0m`;

function formatOne(
  diagnostic: Diagnostic,
  lines: LineIndex | undefined,
  defaultFile: string | undefined,
  paint: Paint,
): string {
  const { severity, code, message, path, suggestion, line, column } = diagnostic;
  const file = diagnostic.file ?? defaultFile;
  const source = line === undefined ? undefined : lines?.line(line);
  const margin = " ".repeat(line === undefined ? 2 : String(line).length + 1);
  const printed = [`${paint(severity, `${severity}[${code}]`)}${paint("bold", `: ${visible(message)}`)}`];
  const help = suggestion === undefined ? "" : paint("help", `help: write \`${visible(suggestion)}\``);
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  if (place !== "") printed.push(`${margin.slice(1)}${paint("frame", "-->")} ${visible(place)}`);
  if (source !== undefined && line !== undefined && column !== undefined) {
    const cut = cutAround(source, column, caretWidth(diagnostic));
    const number = paint("frame", `${" ".repeat(margin.length - 1 - String(line).length)}${line} |`);
    printed.push(
      `${margin}${paint("frame", "|")}`,
      `${number} ${cut.shown}`,
      `${margin}${paint("frame", "|")} ${" ".repeat(cut.before)}${paint(severity, "^".repeat(cut.width))}${help === "" ? "" : ` ${help}`}`,
    );
  } else if (help !== "") printed.push(`${margin}${paint("frame", "=")} ${help}`);
  if (path !== "") printed.push(`${margin}${paint("frame", "=")} at ${visible(shorten(path))}`);
  return printed.join("\n");
}

/** Columns to underline; what goes on over several lines is underlined to the end of the first. */
function caretWidth(diagnostic: Diagnostic): number {
  const { line, column, endLine, endColumn } = diagnostic;
  if (endLine !== line || column === undefined || endColumn === undefined) return MAX_LINE;
  return Math.max(1, endColumn - column);
}

/** A source line as shown, with the display columns of the carets under it. */
function cutAround(
  source: string,
  column: number,
  width: number,
): { readonly shown: string; readonly before: number; readonly width: number } {
  const at = offsetOfColumn(source, column);
  // Only a piece around the place is looked at: a policy may be one line of megabytes.
  const pieceStart = source.length <= MAX_LINE ? 0 : Math.max(0, at - 40);
  const before = [...source.slice(pieceStart, at)];
  const after = [...source.slice(at, at + 2 * MAX_LINE)].slice(0, MAX_LINE - before.length);
  const marked = after.slice(0, width).join("").trimEnd();
  const head = pieceStart > 0 ? "…" : "";
  const shownBefore = visible(before.join(""));
  const rest = at + after.join("").length < source.length ? "…" : "";
  return {
    shown: `${head}${shownBefore}${visible(after.join(""))}${rest}`,
    before: head.length + displayWidth(shownBefore),
    width: Math.max(1, displayWidth(visible(marked))),
  };
}

function shorten(text: string): string {
  return text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text;
}

/** Tabs as blanks, and nothing that a terminal would obey or hide. */
function visible(text: string): string {
  const shown = text.replaceAll("\t", "    ");
  if (findUnseenCharacter(shown) === undefined) return shown;
  return [...shown]
    .map((point) =>
      point === "\n" || findUnseenCharacter(point) === undefined ? point : `<${codePointName(point)}>`,
    )
    .join("");
}

/** East Asian wide characters and emoji take two columns, combining marks none. */
function displayWidth(text: string): number {
  let width = 0;
  for (const point of text) {
    if (/\p{M}/u.test(point)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        point,
      )
        ? 2
        : 1;
  }
  return width;
}

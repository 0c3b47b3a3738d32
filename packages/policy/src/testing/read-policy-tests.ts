import { ConfigurationError, type Diagnostic, quoted } from "d2-core";
import { diagnosticsOfText } from "../diagnostics.js";
import { formatDiagnostics } from "../format-diagnostics.js";
import { LineIndex, type TextPosition } from "../line-index.js";
import { readPolicyText } from "../policy-text.js";
import type { PolicyTests } from "./policy-tests.js";
import { readTestTree } from "./test-file-reading.js";

export interface ReadTestsOptions {
  /** Named in diagnostics and reports, as it is to be shown. */
  readonly file?: string | undefined;
  /** `json` refuses what only YAML allows. Default `yaml`, which reads JSON as well. */
  readonly format?: "yaml" | "json" | undefined;
}

/** Faults that the message of the error shows; the rest are in its `diagnostics`. */
const SHOWN = 5;

/**
 * Reads a file of policy tests: YAML 1.2 or JSON, as strictly as a policy is read.
 *
 * @throws {ConfigurationError} The file has faults; `diagnostics` lists all of them with their places, the message
 * shows the first.
 */
export function readPolicyTests(source: string, options: ReadTestsOptions = {}): PolicyTests {
  const { file, format } = options;
  const text = readPolicyText(source, format === undefined ? {} : { format });
  const lines = new LineIndex(text.text);
  // A call often stands where its test stands, and on one very long line only going on is quick.
  const known = new Map<number, TextPosition>();
  const position = (path: readonly (string | number)[]): TextPosition => {
    const { start } = text.rangeAt(path, "value");
    const place = known.get(start) ?? lines.position(start);
    known.set(start, place);
    return place;
  };
  const tests = readTestTree(text.tree, text.faults, position);
  if (!text.faults.hasErrors) return { file, ...tests };
  const found = diagnosticsOfText(text.faults.inDocumentOrder(text.tree), text, file);
  throw refusal(distinct(found).map(aboutTests), file, text.text);
}

/** What a test says for all rows of its table is read once a row, and its faults are found as often. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Map(diagnostics.map((found) => [`${found.code} ${found.path} ${found.message}`, found]));
  return [...seen.values()];
}

/** Faults of the text as such, which are worded for policies. */
const OF_THE_TEXT: ReadonlySet<string> = new Set([
  "tag",
  "directive",
  "multiple_documents",
  "too_deep",
  "empty_document",
  "alias_bomb",
]);

function aboutTests(found: Diagnostic): Diagnostic {
  if (!OF_THE_TEXT.has(found.code)) return found;
  const message = found.message
    .replace("`policies: []`", "`tests: []`")
    .replace("policies are", "test files are")
    .replace(/\b(a|the) policy\b/g, "$1 test file");
  return { ...found, message };
}

function refusal(
  diagnostics: readonly Diagnostic[],
  file: string | undefined,
  text: string,
): ConfigurationError {
  const named = file === undefined ? "the tests" : `the tests ${quoted(file)}`;
  const count = diagnostics.length === 1 ? "a fault" : `${diagnostics.length} faults`;
  const shown = formatDiagnostics(diagnostics.slice(0, SHOWN), { text, file });
  const rest = diagnostics.length > SHOWN ? `\n\n… and ${diagnostics.length - SHOWN} more` : "";
  return new ConfigurationError(`${named} have ${count} and were not run:\n\n${shown}${rest}`, diagnostics);
}

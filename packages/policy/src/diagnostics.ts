import { type Diagnostic, type Fault, formatDocumentPath } from "d2-core";
import { LineIndex } from "./line-index.js";
import type { PolicyText } from "./policy-text.js";

/** The faults of a policy that was given as an object: they have a document path and no place in a text. */
export function diagnosticsOfObject(faults: readonly Fault[]): readonly Diagnostic[] {
  return Object.freeze(faults.map((fault) => Object.freeze(withoutPlace(fault))));
}

/** The faults of a policy text, in the order of their places. Lines and columns are worked out only here. */
export function diagnosticsOfText(
  faults: readonly Fault[],
  text: PolicyText,
  file: string | undefined,
): readonly Diagnostic[] {
  if (faults.length === 0) return Object.freeze([]);
  const lines = new LineIndex(text.text);
  const placed = faults.map((fault) => ({ fault, range: text.rangeOf(fault) }));
  placed.sort((a, b) => a.range.start - b.range.start);
  return Object.freeze(
    placed.map(({ fault, range }) => {
      const start = lines.position(range.start);
      const end = lines.position(Math.max(range.start, range.end));
      return Object.freeze({
        ...withoutPlace(fault),
        ...(file === undefined ? {} : { file }),
        line: start.line,
        column: start.column,
        endLine: end.line,
        endColumn: end.column,
      });
    }),
  );
}

function withoutPlace(fault: Fault): Diagnostic {
  const { severity, code, message, path, suggestion } = fault;
  const bare = { severity, code, message, path: formatDocumentPath(path), documentPath: path };
  return suggestion === undefined ? bare : { ...bare, suggestion };
}

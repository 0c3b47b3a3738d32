import { quoted } from "d2-core";
import { isExact } from "./permission-index.js";
import { joined } from "./words-lists.js";
import { everyTool, someTool } from "./words-references.js";

/** What a label does: `` a call to a tool of `@sensitive` marks the session `SENSITIVE`; then every tool of `@egress` is denied ``. */
export function labelWords(label: string, markedBy: readonly string[], blocks: readonly string[]): string {
  const name = quoted(label);
  // Lone tools first, so that "every tool of" is not read as about them too.
  const lone = blocks.filter(isExact);
  const denied = joined([...lone, ...blocks.filter((it) => !isExact(it))].map(everyTool), "and");
  const verb = blocks.length === 1 ? "is" : "are";
  if (markedBy.length === 0) return `once the program marks the session ${name}, ${denied} ${verb} denied`;
  const marks = `a call to ${joined(markedBy.map(someTool), "or")} marks the session ${name}`;
  return blocks.length === 0 ? `${marks}, which denies nothing` : `${marks}; then ${denied} ${verb} denied`;
}

import { compareCodePoints, compileToolMatcher } from "d2-core";
import type { UniverseTool } from "../reach/tool-universe.js";
import type { PolicySide } from "./policy-side.js";

/** A set of tools, named. */
export interface ToolNames {
  readonly names: readonly string[];
  readonly words: string;
}

/** Most tools named in a sentence. */
const MAX_NAMED = 8;

/**
 * Names some tools, with a group or pattern in place of the tools that it covers. A pattern covers when it has no tool in
 * `domain` that is not among them; a made-up tool whose pattern does not is named as the pattern's other tools.
 *
 * @param reference tried first, although its made-up tool may not be among them
 */
export function nameTools(
  tools: ReadonlySet<string>,
  domain: ReadonlySet<string>,
  universe: readonly UniverseTool[],
  reference?: { readonly side: PolicySide; readonly tool: string },
): ToolNames {
  const stands = universe.filter(({ tool, stands }) => stands !== undefined && tools.has(tool));
  const patterns = stands.map(({ stands = "" }) => ({ name: stands, matcher: compileToolMatcher([stands]) }));
  const wide = patterns.sort((a, b) => a.name.length - b.name.length);
  const tried =
    reference === undefined
      ? wide
      : [{ name: reference.tool, matcher: reference.side.matcher(reference.tool) }, ...wide];
  const left = new Set(tools);
  const covering: string[] = [];
  for (const { name, matcher } of tried) {
    const own = [...domain].filter((tool) => matcher.matches(tool));
    const fresh = own.filter((tool) => left.has(tool));
    if (fresh.length === 0 || !own.every((tool) => tools.has(tool))) continue;
    if (name.startsWith("@") && fresh.length === 1) continue;
    for (const tool of fresh) left.delete(tool);
    covering.push(name);
  }
  const rest = universe.filter(({ tool }) => left.has(tool));
  const exact = [
    ...covering,
    ...rest.filter(({ stands }) => stands === undefined).map(({ tool }) => tool),
  ].sort(compareCodePoints);
  const others = rest.flatMap(({ stands }) => (stands === undefined ? [] : [stands])).sort(compareCodePoints);
  const named = [...exact.map((name) => `\`${name}\``), ...others.map(otherWords)];
  const shown =
    named.length > MAX_NAMED + 1 ? [...named.slice(0, MAX_NAMED), `${named.length - MAX_NAMED} more`] : named;
  return { names: [...exact, ...others], words: shown.join(", ") };
}

function otherWords(pattern: string): string {
  return pattern === "*" ? "any other tool" : `other \`${pattern}\``;
}

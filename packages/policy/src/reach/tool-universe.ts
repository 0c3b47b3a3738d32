import {
  checkToolId,
  compareCodePoints,
  compileToolMatcher,
  type PolicyDocument,
  parseToolPattern,
  type ToolMatcher,
} from "d2-core";

/** One tool that stands for all tools that no rule can tell from it. */
export interface UniverseTool {
  readonly tool: string;
  /** The pattern that the tool was made up for; `undefined`: its id is named somewhere. */
  readonly stands: string | undefined;
}

/** What a made-up tool is called after its prefix, unless a policy names that very id. */
const MADE_UP = "other";

/**
 * The tools that policies can tell apart: every exact id that they name anywhere (permissions, groups, sequence steps,
 * labels, blocks), and for each prefix and for `*` one made-up tool that nothing else names. Every other tool is treated
 * like the made-up tool of the longest prefix that it is under. Named ids come first; both parts are in code point order.
 *
 * @param extra tool patterns, or references to groups of the documents, that are to be told apart as well
 */
export function toolUniverse(
  documents: readonly PolicyDocument[],
  extra: readonly string[] = [],
): readonly UniverseTool[] {
  const named = new Set<string>();
  const prefixes = new Set<string>();
  let any = false;
  for (const reference of [...documents.flatMap(toolReferences), ...extra]) {
    if (reference.startsWith("@")) continue; // what the groups hold is among the references
    const parsed = parseToolPattern(reference);
    if (!parsed.ok) continue; // a checked document holds none, and what is no tool stands for none
    const { pattern } = parsed;
    switch (pattern.kind) {
      case "any":
        any = true;
        break;
      case "exact":
        named.add(pattern.id);
        break;
      case "prefix":
        prefixes.add(pattern.prefix);
        break;
    }
  }
  const exact = [...named].sort(compareCodePoints).map((tool) => ({ tool, stands: undefined }));
  const stems = [...prefixes].sort(compareCodePoints).map((prefix) => [prefix, `${prefix}*`] as const);
  const made = [...(any ? [["", "*"] as const] : []), ...stems].flatMap(([prefix, stands]) => {
    const tool = madeUp(prefix, named);
    return tool === undefined ? [] : [{ tool, stands }];
  });
  return Object.freeze([...exact, ...made].map((it) => Object.freeze(it)));
}

/** Every tool reference of a document, what its groups hold included. */
function toolReferences(document: PolicyDocument): string[] {
  return [
    ...document.toolGroups.flatMap(({ tools }) => tools),
    ...document.labels.map(({ tool }) => tool),
    ...document.blocks.flatMap(({ tools }) => tools),
    ...document.policies.flatMap(({ permissions, sequence }) => [
      ...permissions.map(({ tool }) => tool),
      ...(sequence?.rules ?? []).flatMap(({ steps }) => steps),
    ]),
  ];
}

/** Without a separator in it, so that it is under no longer prefix. Nothing, where ids may not be that long. */
function madeUp(prefix: string, named: ReadonlySet<string>): string | undefined {
  for (let number = 1; ; number += 1) {
    const tool = `${prefix}${MADE_UP}${number === 1 ? "" : number}`;
    if (named.has(tool)) continue;
    return checkToolId(tool) === undefined ? tool : undefined;
  }
}

/** What a tool reference of a document stands for, groups included. An undefined group stands for nothing. */
export function referenceMatcher(document: PolicyDocument): (reference: string) => ToolMatcher {
  const groups = new Map(document.toolGroups.map(({ name, tools }) => [`@${name}`, tools]));
  const matchers = new Map<string, ToolMatcher>();
  return (reference) => {
    const known = matchers.get(reference);
    if (known !== undefined) return known;
    const patterns = groups.get(reference) ?? (reference.startsWith("@") ? [] : [reference]);
    const matcher = compileToolMatcher(patterns);
    matchers.set(reference, matcher);
    return matcher;
  };
}

/** The labels that some block of the documents names: no other label can ever deny a call. */
export function blockingLabels(documents: readonly PolicyDocument[]): ReadonlySet<string> {
  return new Set(documents.flatMap(({ blocks }) => blocks.map(({ label }) => label)));
}

import { compileToolMatcher, type PolicyDocument, type ToolMatcher } from "d2-core";

/** The tools that the references of a document stand for, each worked out once. */
export class ToolSets {
  readonly #groups: ReadonlyMap<string, readonly string[]>;
  readonly #matchers = new Map<string, ToolMatcher>();

  constructor(document: PolicyDocument) {
    this.#groups = new Map(document.toolGroups.map(({ name, tools }) => [`@${name}`, tools]));
  }

  /** The tool patterns of a reference: those of a group, else the reference itself. */
  patterns(reference: string): readonly string[] {
    return this.#groups.get(reference) ?? [reference];
  }

  matcher(reference: string): ToolMatcher {
    const known = this.#matchers.get(reference);
    if (known !== undefined) return known;
    const matcher = compileToolMatcher(this.patterns(reference));
    this.#matchers.set(reference, matcher);
    return matcher;
  }

  /** Whether every tool of a reference is a tool of one of the patterns in a set. */
  isWithin(reference: string, set: ToolMatcher): boolean {
    return this.patterns(reference).every((pattern) => covers(set, pattern));
  }
}

/** Whether a set holds every tool that a pattern matches. */
export function covers(set: ToolMatcher, pattern: string): boolean {
  if (set.any) return true;
  if (pattern === "*") return false;
  if (!pattern.endsWith("*")) return set.matches(pattern);
  const prefix = pattern.slice(0, -1);
  return set.prefixes.some((wider) => prefix.startsWith(wider));
}

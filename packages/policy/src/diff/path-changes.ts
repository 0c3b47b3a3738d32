import type { ChangeDraft } from "./change-list.js";
import { type Facet, facetDirection, facetsOf, type PathRule } from "./facet.js";

/**
 * What changed in what rules ask of values: path by path, and of each path what is asked for together. Input rules, and
 * output rules without action. That all of them must hold makes each part rankable by itself.
 */
export function pathChanges(
  kind: "input" | "output",
  before: ReadonlyMap<string, readonly PathRule[]>,
  after: ReadonlyMap<string, readonly PathRule[]>,
): ChangeDraft[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  return paths.flatMap((path) => {
    const subject = (tools: string) => subjectOf(kind, path, tools);
    const old = before.get(path);
    const now = after.get(path);
    const places = (rules: readonly PathRule[] | undefined) => (rules ?? []).map(({ at }) => at);
    const place = { kind, path, before: places(old), after: places(now) };
    const facetsBefore = facetsOf(old ?? [], kind === "output");
    const facetsAfter = facetsOf(now ?? [], kind === "output");
    if (old === undefined) {
      const asked = askedWords(facetsAfter);
      const words = (who: string, tools: string) => `for ${who}, ${subject(tools)} must now be ${asked}`;
      return [{ ...place, direction: "tightened", words }];
    }
    if (now === undefined) {
      const asked = askedWords(facetsBefore);
      const words = (who: string, tools: string) =>
        `for ${who}, ${subject(tools)} no longer has to be ${asked}`;
      return [{ ...place, direction: "loosened", words }];
    }
    const names = [...new Set([...facetsBefore.keys(), ...facetsAfter.keys()])];
    return names.flatMap((name): ChangeDraft[] => {
      const change = facetChange(facetsBefore.get(name), facetsAfter.get(name));
      if (change === undefined) return [];
      const words = (who: string, tools: string) => `for ${who}, ${subject(tools)} ${change.words}`;
      const { direction, before: from, after: to } = change;
      return [{ kind, path, direction, words, before: from, after: to }];
    });
  });
}

function subjectOf(kind: "input" | "output", path: string, tools: string): string {
  if (kind === "input") return `argument \`${path}\` of ${tools}`;
  return path === "$" ? `the output of ${tools}` : `output \`${path}\` of ${tools}`;
}

function askedWords(facets: ReadonlyMap<string, Facet>): string {
  const words = [...facets.values()].map((facet) => facet.words);
  return words.length === 0 ? "such that its calls and values can be looked into" : words.join(", ");
}

interface FacetChange extends Pick<ChangeDraft, "direction"> {
  readonly words: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

function facetChange(before: Facet | undefined, after: Facet | undefined): FacetChange | undefined {
  if (before === undefined) {
    if (after === undefined) return undefined;
    return { direction: "tightened", words: `must now be ${after.words}`, before: [], after: after.at };
  }
  if (after === undefined) {
    const words = `no longer has to be ${before.words}`;
    return { direction: "loosened", words, before: before.at, after: [] };
  }
  const direction = facetDirection(before, after);
  if (direction === undefined) return undefined;
  const words = `must be ${after.words}, before ${before.words}`;
  return { direction, words, before: before.at, after: after.at };
}

import type { Decision } from "d2-core";
import type { UniverseTool } from "../reach/tool-universe.js";
import type { Walk } from "../reach/walk.js";

/** Tools that nothing in a search tells apart: one letter of the automaton's alphabet. */
export interface Letter {
  /** Any of the tools. */
  readonly tool: string;
  readonly toolClass: number;
  readonly labels: readonly string[];
  readonly blocks: readonly string[];
  readonly mark: number;
  /** Those without input and output rules first. */
  readonly tools: readonly UniverseTool[];
}

export interface Alphabet {
  readonly letters: readonly Letter[];
  /** What the permission layer refuses, with its answers. */
  readonly refused: readonly {
    readonly tool: UniverseTool;
    readonly mark: number;
    readonly denial: Decision;
  }[];
}

/** Sorts tools into letters. `mark`: what else must be kept apart. */
export function alphabetOf(
  walk: Walk,
  universe: readonly UniverseTool[],
  mark: (tool: string) => number = () => 0,
): Alphabet {
  const groups = new Map<string, UniverseTool[]>();
  const refused: { tool: UniverseTool; mark: number; denial: Decision }[] = [];
  for (const tool of universe) {
    const { denial } = walk.view.entry(tool.tool);
    if (denial !== undefined) {
      refused.push({ tool, mark: mark(tool.tool), denial });
      continue;
    }
    const key = `${mark(tool.tool)} ${walk.kind(tool.tool)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [tool]);
    else group.push(tool);
  }
  const ruled = ({ tool }: UniverseTool): number => {
    const { input, output } = walk.view.entry(tool);
    return (input === undefined ? 0 : 1) + (output === undefined ? 0 : 1);
  };
  const letters = [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { toolClass, labels, blocks } = walk.view.entry(first.tool);
    const ranked = group.map((tool) => ({ tool, rules: ruled(tool) })).sort((a, b) => a.rules - b.rules);
    const tools = ranked.map(({ tool }) => tool);
    const names = blocks.map(({ label }) => label);
    return [{ tool: first.tool, toolClass, labels, blocks: names, mark: mark(first.tool), tools }];
  });
  return { letters, refused };
}

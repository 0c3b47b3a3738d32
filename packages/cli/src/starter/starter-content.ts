import { checkToolId } from "d2-core";
import type { FoundCode, FoundTool } from "d2-policy/diagnose";
import { type ToolVerb, verbOf } from "./tool-verbs.js";

/** A tool of a starter policy. */
export interface StarterTool {
  readonly id: string;
  /** `file:line` of every guard, in order. */
  readonly places: readonly string[];
  readonly verb: ToolVerb;
  /** Names of its arguments, where they can be told. */
  readonly params: readonly string[];
}

/** What a starter policy says, before it is written as YAML or JSON. */
export interface StarterContent {
  /** In the order of their ids. */
  readonly reads: readonly StarterTool[];
  readonly writes: readonly StarterTool[];
  readonly destructive: readonly StarterTool[];
  /** Ids that a policy cannot name, and why. */
  readonly refused: readonly {
    readonly id: string;
    readonly reason: string;
    readonly places: readonly string[];
  }[];
  readonly dynamic: FoundCode["dynamic"];
}

export function starterContent(found: FoundCode): StarterContent {
  const byId = new Map<string, FoundTool[]>();
  for (const tool of found.tools) {
    const known = byId.get(tool.tool);
    if (known === undefined) byId.set(tool.tool, [tool]);
    else known.push(tool);
  }
  const ids = [...byId.keys()].sort();
  const places = (id: string) => (byId.get(id) ?? []).map(({ file, line }) => `${file}:${line}`);
  const refused = ids.flatMap((id) => {
    const reason = checkToolId(id);
    return reason === undefined ? [] : [{ id, reason, places: places(id) }];
  });
  const tools = ids
    .filter((id) => checkToolId(id) === undefined)
    .map((id) => ({
      id,
      places: places(id),
      verb: verbOf(id),
      params: (byId.get(id) ?? []).find(({ params }) => params !== undefined)?.params ?? [],
    }));
  const of = (verb: ToolVerb) => tools.filter((tool) => tool.verb === verb);
  return {
    reads: of("read"),
    writes: of("write"),
    destructive: of("destructive"),
    refused,
    dynamic: found.dynamic,
  };
}

import type { Decision } from "d2-core/call";
import { actingUser, scopes } from "../context/scope.js";
import { judge } from "./invoke.js";
import { readGuardOptions } from "./options.js";
import { bindTool } from "./tool.js";

const KNOWN: ReadonlySet<string> = new Set(["instance"]);

/**
 * What a call would be answered now, for the current user and session, without running or recording anything.
 *
 * @param args the named arguments
 * @param options `instance`: the named instance to ask, default `"default"`
 */
export function check(
  toolId: string,
  args?: Readonly<Record<string, unknown>>,
  options: { readonly instance?: string } = {},
): Decision {
  const scope = scopes.getStore();
  const tool = bindTool(toolId, readGuardOptions(options, toolId, KNOWN), "plain");
  return judge(tool, actingUser(scope), scope, args === undefined ? [] : [args]).decision;
}

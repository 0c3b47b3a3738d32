import { types } from "node:util";
import { ConfigurationError, checkToolId, type ParameterNames, parameterNames } from "d2-core/call";
import { type InstanceSlot, instanceSlot, toolNumber } from "../setup/registry.js";
import type { GuardOptions } from "./options.js";

/** What a tool's function is, as far as can be known before it runs. */
export type ToolKind = "plain" | "async" | "generator" | "asyncGenerator";

/** A guarded tool: everything about it that is known once, when it is wrapped. */
export interface Tool {
  readonly id: string;
  readonly slot: InstanceSlot;
  /** Its number among the tools of the instance; -1: none. */
  readonly number: number;
  readonly names: ParameterNames | undefined;
  readonly kind: ToolKind;
  /** Whether refusals reject. */
  readonly rejects: boolean;
  readonly eachItem: boolean;
  /** Whether `onDeny` was given; `undefined` is a value like any other. */
  readonly handled: boolean;
  readonly onDeny: unknown;
}

/**
 * Binds what the author said of a tool.
 *
 * @param options as `readGuardOptions` gives them
 * @throws ConfigurationError for an id that no policy could name, or an async `onDeny` on a synchronous tool
 */
export function bindTool(id: string, options: GuardOptions, kind: ToolKind): Tool {
  const fault = typeof id === "string" ? checkToolId(id) : "the tool id must be a string";
  if (fault !== undefined) throw new ConfigurationError(`\`d2Guard\`: ${fault}`);
  const rejects = options.async ?? kind === "async";
  if (kindOf(options.onDeny) === "async" && !rejects) {
    throw new ConfigurationError(
      `guard of \`${id}\`: an async \`onDeny\` needs an async tool; say \`async: true\` if the function gives a promise`,
    );
  }
  const slot = instanceSlot(options.instance);
  return {
    id,
    slot,
    number: toolNumber(slot, id),
    names: options.params === undefined ? undefined : parameterNames(options.params),
    kind,
    rejects,
    eachItem: options.stream === "each",
    handled: Object.hasOwn(options, "onDeny"),
    onDeny: options.onDeny,
  };
}

/** What kind of function it is, by what the engine says; only the ones written as such can be told. */
export function kindOf(value: unknown): ToolKind {
  if (types.isGeneratorFunction(value)) return types.isAsyncFunction(value) ? "asyncGenerator" : "generator";
  return types.isAsyncFunction(value) ? "async" : "plain";
}

import { ConfigurationError, STRICT_SYNC } from "d2-core/call";
import { actingUser, scopes } from "../context/scope.js";
import { invoke, refuse, type ToolFunction } from "./invoke.js";
import { type GuardOptions, readGuardOptions } from "./options.js";
import { bindTool } from "./tool.js";
import type { AnyFunction, Fallback } from "./types.js";
import { WorkerPool } from "./worker-pool.js";

/** Options of a worker tool. */
export interface WorkerOptions extends Omit<GuardOptions, "async" | "stream"> {
  /** Name of the module's export to run. Default `"default"`. */
  readonly export?: string;
}

/** A worker tool: like the function itself, but a promise comes back. */
export type WorkerTool<F extends AnyFunction, D = never> = (
  ...args: Parameters<F>
) => Promise<Awaited<ReturnType<F>> | Awaited<Fallback<D>>>;

const KNOWN: ReadonlySet<string> = new Set(["params", "onDeny", "instance", "strict", "export"]);

/** All worker tools of the process share the threads, of which there is none before the first call. */
const pool = new WorkerPool();

/**
 * Guards a function that runs in a worker thread, so that long synchronous work does not block the event loop. The
 * policy decides here, before and after; arguments and result are structured clones. Inside the worker there is no
 * user, so guarded calls there are refused.
 *
 * @param module URL of the module, absolute: `new URL("./heavy.js", import.meta.url)`
 * @throws ConfigurationError for a bad tool id, option or URL
 */
export function guardWorker<F extends AnyFunction, const D = never>(
  toolId: string,
  module: URL | string,
  options: WorkerOptions & { readonly onDeny?: D } = {},
): WorkerTool<F, D> {
  const own = readGuardOptions<WorkerOptions>(options, toolId, KNOWN);
  const { export: name = "default", strict } = own;
  const tool = bindTool(toolId, Object.assign(own, { async: true }), "async");
  const href = hrefOf(module, toolId);
  const run: ToolFunction = (...args: unknown[]) => pool.run({ module: href, export: name, args });
  const guarded = (...args: unknown[]): unknown => {
    const { enforcer } = tool.slot;
    if (strict ?? enforcer?.strict ?? false) {
      const scope = scopes.getStore();
      const user = actingUser(scope);
      const { recorder } = enforcer ?? {};
      const verdict = { decision: STRICT_SYNC, args: undefined, entry: undefined };
      recorder?.decided(recorder.context, tool, user, scope, verdict, args, true);
      return refuse(tool, user, scope, STRICT_SYNC);
    }
    return invoke(tool, run, undefined, args);
  };
  // `F` is the author's word for what the module exports; what comes back is what `WorkerTool` says of it.
  return guarded as WorkerTool<F, D>;
}

function hrefOf(module: URL | string, toolId: string): string {
  try {
    return new URL(module).href;
  } catch {
    throw new ConfigurationError(
      `guard of \`${toolId}\`: the module must be an absolute URL; write \`new URL("./file.js", import.meta.url)\``,
    );
  }
}

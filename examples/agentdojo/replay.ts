import { configureRbac, d2Guard, type Layer, PermissionDeniedError, runAs, shutdownRbac } from "d2-sdk";
import type { RecordedCall, Recordings, Trace } from "./traces.js";

/** A recorded call and what the policy said to it. */
export interface ReplayedCall extends RecordedCall {
  /** The layer that refused; absent when the call ran. */
  readonly refusedBy?: Layer;
}

export interface ReplayedTrace extends Trace {
  readonly calls: readonly ReplayedCall[];
}

/**
 * Makes every recorded call again under a policy, each trace in a session of its own. The functions behind the guard
 * return what was recorded. A refused call does not end the trace: whatever comes next is tried as well.
 *
 * @param rolesFor the roles of a session, from what its user said
 */
export async function replay(
  { tools, traces }: Recordings,
  policyFile: URL,
  rolesFor: (request: string) => string[],
): Promise<ReplayedTrace[]> {
  const instance = "agentdojo";
  const quiet = () => undefined;
  await configureRbac({
    policyFile,
    instance,
    logger: { debug: quiet, info: quiet, warn: console.warn, error: console.error },
  });
  let recorded = "";
  const guarded = new Map(
    tools.map((tool) => [tool, d2Guard(tool, { instance }, (_: RecordedCall["args"]) => recorded)]),
  );
  try {
    return traces.map((trace) => {
      const session = { roles: rolesFor(trace.request) };
      return { ...trace, calls: runAs("assistant", session, () => trace.calls.map(attempt)) };
    });
  } finally {
    await shutdownRbac(instance);
  }

  function attempt(call: RecordedCall): ReplayedCall {
    recorded = call.result;
    try {
      const given = guarded.get(call.tool)?.(call.args);
      if (given !== call.result) throw new Error(`\`${call.tool}\` did not give what was recorded`);
      return call;
    } catch (error) {
      if (!(error instanceof PermissionDeniedError)) throw error;
      return { ...call, refusedBy: error.decision.layer };
    }
  }
}

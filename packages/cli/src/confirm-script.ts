import type { Script } from "d2-policy/analyze";
import { configureRbacSync, d2Guard, runAs, shutdownRbac } from "d2-sdk";

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Whether guards that are set up with the policy let a script run as it is written. Nothing but the script is called. */
export function confirmedByGuard(policy: string, { roles, steps }: Script): boolean {
  const instance = "d2 analyze";
  // The instant of a policy that may expire, before it does.
  configureRbacSync({ policy, instance, logger: SILENT, clock: () => 0, limits: { maxTools: 1_000_000 } });
  try {
    return runAs("somebody", { roles: [...roles] }, () =>
      steps.every((step) => runsAsWritten(step, instance)),
    );
  } finally {
    void shutdownRbac(instance);
  }
}

function runsAsWritten(step: Script["steps"][number], instance: string): boolean {
  let ran = false;
  const guarded = d2Guard(step.tool, { instance }, (_args: object): unknown => {
    ran = true;
    if ("throws" in step) throw new Error(step.throws);
    return step.returns;
  });
  try {
    guarded(step.args);
    return "returns" in step;
  } catch {
    // A function that fails has been called; a call that was refused has not.
    return "throws" in step && ran;
  }
}

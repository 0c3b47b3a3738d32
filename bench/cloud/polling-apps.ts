// A process with several instances of the SDK that poll one control plane. It is told a tool that the next policy is the
// first to allow, and tells when each instance had let a call of it through.
// Usage: node bench/cloud/polling-apps.js <instances>, with D2_TOKEN and D2_API_URL
import { configureRbac, d2Guard, type PolicyManager, runAs } from "d2-sdk";
import { silent } from "../policies.js";
import { type AppsMessage, POLICY_ROLE, type ToolToWaitFor } from "./publish-messages.js";

const count = Number(process.argv[2]);
const names = Array.from({ length: count }, (_, n) => `app-${n}`);

const tell = (message: AppsMessage): void => {
  process.send?.(message);
};

const managers = await Promise.all(names.map((instance) => configureRbac({ instance, logger: silent })));

/** Milliseconds since 1970 at which the instance let a call through. */
function enforced(manager: PolicyManager, tool: string): Promise<number> {
  const guarded = d2Guard(tool, { instance: manager.instance, onDeny: 0 }, () => 1);
  const isAllowed = (): boolean => runAs("bench", { roles: [POLICY_ROLE] }, guarded) === 1;
  if (isAllowed()) throw new Error("the tool is allowed before the policy is published");
  return new Promise((resolve) => {
    const stop = manager.onChange(() => {
      if (!isAllowed()) return;
      const now = performance.timeOrigin + performance.now();
      stop();
      resolve(now);
    });
  });
}

process.on("message", ({ tool }: ToolToWaitFor) => {
  const all = Promise.all(managers.map((manager) => enforced(manager, tool)));
  tell({ kind: "waiting" });
  void all.then((times) => tell({ kind: "enforced", times }));
});
tell({ kind: "ready" });

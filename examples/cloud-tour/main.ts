// Cloud mode from end to end on this machine: a control plane with its own database, a policy that is signed and published,
// the demo agent under it, its events, a revocation, and a server that is gone. `npm start -- tour` runs it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { configureRbac, type PolicyEvent, type PolicyManager, shutdownRbac } from "d2-sdk";
import { listenOutside } from "../agent-demo/outside.js";
import { printDecisions } from "../agent-demo/print.js";
import { runAgent } from "../agent-demo/run.js";
import { heading } from "../report.js";
import { d2, prepare, startControlPlane } from "./programs.js";

const POLICY = relative(process.cwd(), fileURLToPath(new URL("../agent-demo/policy.yaml", import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), "d2-tour-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

// Nothing of this is kept beside what the programs of this user keep.
process.env["D2_STATE_PATH"] = join(folder, "bundles.json");
const quiet = () => undefined;
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** Resolves when the control plane's answer has changed what is in force. */
function next(manager: PolicyManager, kind: PolicyEvent["kind"]): Promise<void> {
  return new Promise((resolve) => {
    const end = manager.onChange((event) => {
      if (event.kind !== kind) return;
      end();
      resolve();
    });
  });
}

heading("1. A control plane, with a database of its own");
const tokens = prepare(folder, "support-agent");
let plane = await startControlPlane(folder);
console.log(`  ${plane.url}, an account, the app support-agent, a token of each kind`);

heading("2. The policy is validated, signed with the key of this device, and published");
const author = {
  XDG_CONFIG_HOME: join(folder, "author"),
  D2_API_URL: plane.url,
  D2_TOKEN: tokens.developer,
  NO_COLOR: "1",
};
d2(["publish", POLICY, "--force"], author);
d2(["status"], author);

heading("3. The demo agent runs under it; it knows the control plane and a token, and no file");
const outside = await listenOutside();
const manager = await configureRbac({ token: tokens.runtime, apiUrl: plane.url, logger });
const outcome = await runAgent(outside, true);
printDecisions(outcome.steps);
assert.equal(outcome.leaked.length, 0);
assert.ok(outcome.steps.some(({ refusal }) => refusal?.reason === "sequence_violation"));

heading("4. The policy is revoked: from the next poll on nothing runs");
const revoked = next(manager, "revoked");
d2(["revoke", "--force"], author);
await revoked;
const stopped = await runAgent(outside, true);
assert.equal(stopped.steps.length, 2);
assert.ok(stopped.steps.every(({ refusal }) => refusal?.reason === "policy_unavailable"));
console.log(`  ${stopped.steps.length} calls by the agent, both denied: policy_unavailable`);

heading("5. Published again, it runs again");
const loaded = next(manager, "loaded");
d2(["publish", POLICY, "--force"], author);
await loaded;
assert.deepEqual((await runAgent(outside, true)).steps.length, outcome.steps.length);
console.log("  the agent's calls are decided as before");

heading("6. The control plane is gone, and the guards keep the last verified policy");
await shutdownRbac();
const { port } = new URL(plane.url);
await plane.stop();
const offline = await configureRbac({ token: tokens.runtime, apiUrl: plane.url, logger, telemetry: "off" });
assert.deepEqual((await runAgent(outside, true)).steps.length, outcome.steps.length);
console.log(
  `  started without it, from the copy on disk: version ${offline.policy.bundle?.version} of ${offline.policy.name}`,
);
await shutdownRbac();
await outside.close();

heading("7. It is back, and tells who was denied what");
plane = await startControlPlane(folder, Number(port));
const listed = d2(["events", "--result", "denied", "--type", "authz_decision", "--limit", "8"], author);
for (const reason of ["rbac_denied", "sequence_violation", "data_flow_violation", "policy_unavailable"]) {
  assert.match(listed, new RegExp(reason));
}
await plane.stop();

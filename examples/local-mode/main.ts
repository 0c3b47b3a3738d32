// File mode: the policy is a file beside the program, no service and no network. An edit takes effect while the program
// runs; an edit with a mistake in it does not, and the policy of before stays in force.
import assert from "node:assert/strict";
import { appendFile, copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configureRbac, d2Guard, type PolicyEvent, type PolicyManager, runAs, shutdownRbac } from "d2-sdk";
import { expectDecision, heading } from "../report.js";

const readSensors = d2Guard("greenhouse.read", () => ({ celsius: 21 }));
const openWindow = d2Guard("greenhouse.open_window", () => "open");
const ivy = { roles: ["gardener"] };

const folder = await mkdtemp(join(tmpdir(), "d2-local-mode-"));
const file = join(folder, "policy.yaml");
await copyFile(new URL("policy.yaml", import.meta.url), file);

// The file could also be named by an option, `policyFile`, or lie in one of the usual places.
process.env["D2_POLICY_FILE"] = file;
const complaints: string[] = [];
const manager = await configureRbac({
  logger: {
    debug: () => undefined,
    info: () => undefined,
    warn: (message) => complaints.push(message),
    error: (message) => complaints.push(message),
  },
});

try {
  heading(`The policy "${manager.policy.name}", ${manager.policy.version}`);
  await expectDecision("no_context", "a call for nobody", () => readSensors());
  await runAs("ivy", ivy, async () => {
    await expectDecision("ok", "a gardener reads the sensors", () => readSensors());
    await expectDecision("missing_policy", "a gardener opens the window", () => openWindow());
  });

  heading("The same program, after a line was added to the file");
  const loaded = next(manager, "loaded");
  await appendFile(file, "      - greenhouse.open_window\n");
  await loaded;
  await runAs("ivy", ivy, () => expectDecision("ok", "a gardener opens the window", () => openWindow()));

  heading("After an edit with a misspelt key: the good policy stays, and the mistake is reported");
  const refused = next(manager, "refused");
  await writeFile(file, "policies:\n  - role: gardener\n    permisions: [greenhouse.read]\n");
  await refused;
  await runAs("ivy", ivy, () => expectDecision("ok", "a gardener opens the window", () => openWindow()));
  const complaint = complaints.join("\n");
  console.log(complaint.replaceAll(file, "policy.yaml").replace(/^/gm, "  | "));
  assert.match(complaint, /permisions/);
  assert.match(complaint, /permissions/);
} finally {
  await shutdownRbac();
  await rm(folder, { recursive: true });
}

/** Waits for something to happen to the policy. Watching a file keeps no program running, the deadline here does. */
function next(of: PolicyManager, kind: PolicyEvent["kind"]): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`the policy was not ${kind} in time`)), 15_000);
    const stop = of.onChange((event) => {
      if (event.kind !== kind) return;
      clearTimeout(deadline);
      stop();
      resolve();
    });
  });
}

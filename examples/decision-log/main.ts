// A log of 10,000 guarded calls: verified, replayed on every Node there is, tampered with in ten ways, and compared with
// an edited policy.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, verify } from "node:crypto";
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compareLog, readHeads, verifyLog } from "d2-policy/log";
import { heading } from "../report.js";
import { recordCalls } from "./record.js";
import { keptPolicies, replayFolder } from "./replay.js";
import { TAMPERINGS } from "./tamper.js";

const CALLS = 10_000;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "d2-audit-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

// Whoever checks the log has the public key; the private one is where the log is written.
const { privateKey, publicKey } = generateKeyPairSync("ed25519");
await recordCalls(folder, String(privateKey.export({ type: "pkcs8", format: "pem" })), CALLS);

const { heads } = readHeads(readFileSync(join(folder, "audit.heads.jsonl"), "utf8"));
const checks = {
  heads,
  verifySignature: (message: string, signature: string) =>
    verify(null, Buffer.from(message), publicKey, Buffer.from(signature, "base64url")),
};
const log = (): AsyncIterable<Buffer> => createReadStream(join(folder, "audit.jsonl"));

heading("Verified");
const verified = await verifyLog(log(), checks);
console.log(
  `  ${verified.counts.calls} calls, ${verified.counts.events} events, ${verified.counts.denied} of them refusals`,
);
console.log(`  heads signed: ${verified.heads.signed}`);
assert.equal(verified.ok, true);
assert.equal(verified.counts.calls, CALLS);

heading("Replayed");
const replayed = await replayFolder(folder);
console.log(`  here:     ${replayed}`);
for (const major of [20, 22, 24]) {
  const node = here(`../../tools/nodes/node_modules/node-${major}/bin/node`);
  if (!existsSync(node)) {
    console.log(`  Node ${major}:  not there; \`npm run matrix\` installs it`);
    continue;
  }
  const { stdout } = spawnSync(node, [here("replay.js"), folder], { encoding: "utf8" });
  console.log(`  Node ${major}:  ${stdout.trim()}`);
  assert.equal(stdout.trim(), replayed);
}

heading("Tampered with");
const lines = readFileSync(join(folder, "audit.jsonl"), "utf8").trimEnd().split("\n");
for (const { name, change } of TAMPERINGS) {
  const { ok, findings } = await verifyLog([change(lines)], checks);
  const [first] = findings;
  assert.equal(ok, false, `${name}: it was not noticed`);
  const where = first?.line === undefined ? "at the end" : `at line ${first.line}`;
  console.log(`  ${name}\n    ${first?.reason} ${where}: ${first?.message}`);
}

heading("Compared with the next policy");
const { comparison } = await compareLog(log(), {
  ...checks,
  policies: keptPolicies(folder),
  against: readFileSync(here("policy.next.yaml"), "utf8"),
});
const { changes } = comparison;
console.log(`  ${comparison.compared} decisions compared, ${changes.total} would change`);
for (const { name, changes: count } of changes.byReason) console.log(`    ${name}: ${count}`);
for (const { name, changes: count } of changes.byTool) console.log(`    ${name}: ${count}`);
const [example] = changes.examples;
console.log(`  the first: ${example?.tool} for ${example?.user} at event ${example?.index}`);
assert.equal(comparison.notCompared.arguments_withheld, undefined);
assert.ok(changes.kinds.allow_to_deny > 0 && changes.kinds.deny_to_allow === 0);

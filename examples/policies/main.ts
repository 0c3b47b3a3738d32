// Three policies of the kind that people have, with their tests, and one question each that no test could answer.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type LoadedPolicy, loadPolicy } from "d2-policy";
import { analysisText, analyzePolicy } from "d2-policy/analyze";
import { readPolicyTests, runPolicyTests } from "d2-policy/testing";
import { heading } from "../report.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

function load(name: string): LoadedPolicy {
  const file = `${name}/policy.yaml`;
  const policy = loadPolicy(readFileSync(here(file), "utf8"), { file, now: Date.now() });
  const tests = readPolicyTests(readFileSync(here(`${name}/policy.test.yaml`), "utf8"));
  const { counts, coverage } = runPolicyTests(policy, tests, { policyFile: file });
  console.log(`  ${counts.passed} tests pass, and touch ${coverage.percent} % of what the policy can do`);
  assert.equal(counts.passed, counts.total);
  return policy;
}

function ask(policy: LoadedPolicy, role: string, from: string, to: string): string | undefined {
  const analysis = analyzePolicy(policy, { roles: [role], from, to });
  console.log(`  ${role}: ${to} after ${from}?`);
  for (const line of analysisText(analysis).trimEnd().split("\n")) console.log(`    ${line}`);
  return analysis.answers[0]?.answer;
}

heading("A support desk");
const desk = load("support-desk");
assert.equal(ask(desk, "support", "crm.read_customer", "webhook.post"), "cannot");
assert.equal(ask(desk, "supervisor", "payments.read_card", "@outside"), "cannot");

heading("A data platform");
const platform = load("data-platform");
assert.equal(ask(platform, "analyst", "table.read_people", "export.csv"), "can");
assert.equal(ask(platform, "admin", "table.read_health", "@egress"), "cannot");

heading("A coding agent");
const agent = load("coding-agent");
assert.equal(ask(agent, "agent", "env.read", "@publish"), "cannot");
assert.equal(ask(agent, "agent", "web.fetch", "shell.run"), "can");

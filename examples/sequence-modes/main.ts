// Sequence modes: `allow` forbids some orders, `deny` permits some orders.
import { configureRbac, d2Guard, runAs } from "d2-sdk";
import { expectDecision, heading } from "../report.js";

let broken = false;
const build = d2Guard("code.build", () => "built");
const test = d2Guard("code.test", () => {
  if (broken) throw new Error("a test failed");
  return "passed";
});
const approve = d2Guard("release.approve", () => "approved");
const deploy = d2Guard("release.deploy", () => "deployed");

await configureRbac({ policyFile: new URL("policy.yaml", import.meta.url) });

await runAs("dora", { roles: ["developer"] }, async () => {
  heading("mode allow: everything but what is forbidden");
  await expectDecision("ok", "deploy, out of the blue", () => deploy());
  await expectDecision("ok", "build", () => build());
  await expectDecision("ok", "approve", () => approve());
  await expectDecision("sequence_violation", "build after the approval", () => build());
});

await runAs("bot", { roles: ["release-bot"] }, async () => {
  heading("mode deny: nothing but what is permitted");
  await expectDecision("sequence_violation", "deploy, out of the blue", () => deploy());
  await expectDecision("ok", "build", () => build());
  await expectDecision("sequence_violation", "approve what was not tested", () => approve());
  await expectDecision("ok", "test", () => test());
  await expectDecision("ok", "approve", () => approve());
  await expectDecision("ok", "deploy", () => deploy());
});

await runAs("bot", { roles: ["release-bot"] }, async () => {
  heading("mode deny: a step that failed permits nothing");
  await expectDecision("ok", "build", () => build());
  broken = true;
  try {
    test();
  } catch {
    console.log("         the tests fail");
  }
  await expectDecision("sequence_violation", "approve all the same", () => approve());
});

await runAs("old", { roles: ["retired-bot"] }, async () => {
  heading("mode deny without rules: nothing at all");
  await expectDecision("sequence_violation", "build", () => build());
});

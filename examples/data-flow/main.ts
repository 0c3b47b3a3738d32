// Data flow: labels say what kind of data a session has touched, and what that rules out from then on.
import assert from "node:assert/strict";
import { configureRbac, d2Guard, getFacts, recordFact, runAs } from "d2-sdk";
import { expectDecision, heading } from "../report.js";

const readCustomer = d2Guard("crm.read_customer", () => "Ada Example");
const readCard = d2Guard("cards.read", () => {
  throw new Error("the card service is down");
});
const fetchPage = d2Guard("web.fetch", () => "a page");
const post = d2Guard("web.post", () => "posted");
const chat = d2Guard("chat.send", () => "sent");
const log = d2Guard("log.write", () => "written");
const setLimit = d2Guard("settings.set_limit", () => "set");

// `EMBARGO` is emitted by no tool, which is worth a warning: it might be a misspelling. Here it is meant.
const warnings: string[] = [];
await configureRbac({
  policyFile: new URL("policy.yaml", import.meta.url),
  logger: {
    debug: () => undefined,
    info: () => undefined,
    warn: (message) => warnings.push(message),
    error: (message) => console.error(message),
  },
});
assert.equal(warnings.length, 1);
assert.match(warnings[0] ?? "", /EMBARGO/);

const assistant = { roles: ["assistant"] };

await runAs("ann", assistant, async () => {
  heading("Personal data stays inside");
  await expectDecision("ok", "post before anything was read", () => post());
  await expectDecision("ok", "read a customer", () => readCustomer());
  assert.deepEqual(getFacts(), ["PERSONAL"]);
  await expectDecision("data_flow_violation", "post", () => post());
  await expectDecision("data_flow_violation", "send a message", () => chat());
  await expectDecision("ok", "write a log line", () => log());
});

await runAs("ann", assistant, async () => {
  heading("A label stays, even if the tool failed");
  assert.throws(() => readCard(), /card service/);
  await expectDecision("data_flow_violation", "write a log line", () => log());
});

await runAs("ann", assistant, async () => {
  heading("Text by strangers must not steer");
  await expectDecision("ok", "change a setting", () => setLimit());
  await expectDecision("ok", "fetch a page", () => fetchPage());
  await expectDecision("data_flow_violation", "change a setting now", () => setLimit());
});

await runAs("ann", assistant, async () => {
  heading("A session inside a session washes nothing off");
  runAs("helper", assistant, () => readCustomer());
  await expectDecision("data_flow_violation", "post what the helper read", () => post());
});

await runAs("ann", assistant, async () => {
  heading("The program can record a label itself");
  recordFact("EMBARGO");
  await expectDecision("data_flow_violation", "send a message", () => chat());
});

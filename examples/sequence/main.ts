// Sequence rules: the guard remembers what was called in this session, and some calls may not follow others.
import { configureRbac, d2Guard, runAs } from "d2-sdk";
import { expectDecision, heading } from "../report.js";

const readUsers = d2Guard("database.read_users", async () => ["Ada Example", "Ben Sample"]);
const getKey = d2Guard("secrets.get_key", async () => "an invented key");
const anonymize = d2Guard("analytics.anonymize", async () => ["user 1", "user 2"]);
const summarize = d2Guard("analytics.summarize", async () => "two users");
const writeFile = d2Guard("files.write", async () => "written");
const httpRequest = d2Guard("web.http_request", async () => "sent");
const sendMail = d2Guard("email.send", async () => "sent");

await configureRbac({ policyFile: new URL("policy.yaml", import.meta.url) });
const rita = { roles: ["researcher"] };

// Every `runAs` is a session with a history of its own.
await runAs("rita", rita, async () => {
  heading("A direct leak is blocked");
  await expectDecision("ok", "read the users", () => readUsers());
  await expectDecision("sequence_violation", "send them to the web", () => httpRequest());
});

await runAs("rita", rita, async () => {
  heading("The internal workflow is allowed");
  await expectDecision("ok", "read the users", () => readUsers());
  await expectDecision("ok", "make them anonymous", () => anonymize());
  await expectDecision("ok", "mail the result", () => sendMail());
  await expectDecision("ok", "read the users again", () => readUsers());
  await expectDecision("sequence_violation", "mail them, not anonymous this time", () => sendMail());
});

await runAs("rita", rita, async () => {
  heading("A trail hidden behind other calls is blocked");
  await expectDecision("ok", "read the users", () => readUsers());
  await expectDecision("ok", "summarise", () => summarize());
  await expectDecision("ok", "write a file", () => writeFile());
  await expectDecision("ok", "summarise again", () => summarize());
  await expectDecision("sequence_violation", "send something to the web", () => httpRequest());
});

await runAs("rita", rita, async () => {
  heading("A leak of secrets is blocked");
  await expectDecision("ok", "get a key", () => getKey());
  await expectDecision("ok", "make it anonymous", () => anonymize());
  await expectDecision("sequence_violation", "mail it", () => sendMail());
});

await runAs("rita", rita, async () => {
  heading("Calls side by side do not slip through");
  const read = readUsers(); // allowed and begun, not awaited
  await expectDecision("sequence_violation", "send while the read still runs", () => httpRequest());
  await read;
});

await runAs("root", { roles: ["admin"] }, async () => {
  heading("An admin has no sequence rules to break");
  await expectDecision("ok", "read the users", () => readUsers());
  await expectDecision("ok", "send them to the web", () => httpRequest());
});

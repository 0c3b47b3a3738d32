import { subscribe } from "node:diagnostics_channel";
import { createInterface } from "node:readline";
import { configureRbac, d2Guard, PermissionDeniedError, runAs, shutdownAllRbac } from "d2-sdk";

// An app in cloud mode. Each line of input is a call: `{"user", "role", "tool", "amount"}`. What it prints, a line each:
// the answer to a call, a new version, a revocation, and each poll with its status (0: no answer).

/** @param {object} line */
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** @param {{ path: string }} request */
const isPoll = ({ path }) => path.startsWith("/v1/policy/bundle");

subscribe("undici:request:headers", ({ request, response }) => {
  if (isPoll(request)) say({ poll: response.statusCode });
});
subscribe("undici:request:error", ({ request }) => {
  if (isPoll(request)) say({ poll: 0 });
});

const { APP_TOKEN: token, APP_API_URL: apiUrl } = process.env;
const rbac = await configureRbac({ token, apiUrl });
rbac.onChange((event) => {
  if (event.kind === "loaded") say({ version: event.policy.bundle?.version });
  if (event.kind === "revoked") say({ revoked: true });
});
say({ version: rbac.policy.bundle?.version ?? null });

for await (const line of createInterface({ input: process.stdin })) {
  const { user, role, tool, amount } = JSON.parse(line);
  const guarded = d2Guard(tool, (/** @type {object} */ _args) => "done");
  try {
    runAs(user, { roles: [role] }, () => guarded({ amount }));
    say({ answer: "allow" });
  } catch (error) {
    if (!(error instanceof PermissionDeniedError)) throw error;
    say({ answer: error.decision.reason });
  }
}
await shutdownAllRbac();

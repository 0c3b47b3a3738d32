// A web application on bare `node:http`: each request acts for the user it comes from, in a session of its own, and a
// refused call is answered with status 403 and a problem document. The same works for express, fastify, hono and koa
// (`d2-sdk/express` and so on).
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { configureRbac, d2Guard, getUserContext } from "d2-sdk";
import { type RequestUser, withD2 } from "d2-sdk/node";
import { heading } from "../report.js";

// The tools know nothing of HTTP.
const readInvoice = d2Guard("invoices.read", async ({ id }: { id: number }) => {
  await pause(id % 7); // other requests run meanwhile
  return { id, amount: 120 * id, iban: "XX00 0000 0000 0000", readFor: getUserContext().userId };
});
const payInvoice = d2Guard("invoices.pay", async ({ id, amount }: { id: number; amount: number }) => ({
  id,
  paid: amount,
}));

// Who is who. In life this is a look-up of a verified token; what a client says of itself counts for nothing.
const logins = new Map<string, RequestUser>([
  ["token-of-bea", { userId: "bea", roles: ["bookkeeper"] }],
  ["token-of-aldo", { userId: "aldo", roles: ["auditor"] }],
]);
const userOf = ({ headers }: IncomingMessage) =>
  logins.get(headers.authorization?.slice("Bearer ".length) ?? "");

/** `GET /invoices/2` reads, `POST /invoices/2?amount=240` reads and pays. */
async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const id = Number(pathname.split("/").at(-1));
  const invoice = searchParams.has("blindly") ? undefined : await readInvoice({ id });
  const answer =
    request.method === "POST"
      ? await payInvoice({ id, amount: Number(searchParams.get("amount")) })
      : (invoice ?? {});
  response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
}

await configureRbac({ policyFile: new URL("policy.yaml", import.meta.url) });
const server = createServer(withD2(userOf, handle));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
// A server that listens on a port has an address of this kind.
const { port } = server.address() as AddressInfo;

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function ask(user: string, method: string, path: string): Promise<Answer> {
  const headers = { authorization: `Bearer token-of-${user}` };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

try {
  heading("Requests and their answers");
  const expected: readonly (readonly [
    user: string,
    method: string,
    path: string,
    status: number,
    what: object,
  ])[] = [
    ["bea", "GET", "/invoices/2", 200, { readFor: "bea", iban: "[REDACTED]" }],
    ["bea", "POST", "/invoices/2?amount=240", 200, { paid: 240 }],
    ["bea", "POST", "/invoices/20?amount=2400", 403, { reason: "input_validation", tool: "invoices.pay" }],
    ["bea", "POST", "/invoices/2?amount=240&blindly", 403, { reason: "sequence_violation" }],
    ["aldo", "GET", "/invoices/2", 200, { readFor: "aldo" }],
    ["aldo", "POST", "/invoices/2?amount=240", 403, { reason: "rbac_denied" }],
    ["nobody", "GET", "/invoices/2", 403, { reason: "no_context", tool: "invoices.read" }],
  ];
  for (const [user, method, path, status, what] of expected) {
    const answer = await ask(user, method, path);
    console.log(
      `  ${`${user}: ${method} ${path}`.padEnd(46)}${answer.status} ${answer.body["reason"] ?? ""}`,
    );
    assert.equal(answer.status, status, `${method} ${path} of ${user}`);
    assert.deepEqual({ ...answer.body, ...what }, answer.body);
  }

  heading("Fifty requests at once: nobody gets what was read for somebody else");
  const users = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? "bea" : "aldo"));
  const answers = await Promise.all(users.map((user, index) => ask(user, "GET", `/invoices/${index}`)));
  assert.deepEqual(
    answers.map(({ body }) => body["readFor"]),
    users,
  );
  console.log(`  ${answers.length} answers, each for its own user`);
} finally {
  server.closeAllConnections();
  server.close();
}

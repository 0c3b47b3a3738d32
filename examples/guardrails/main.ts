// Guardrails: bad arguments never reach the tool, and what the tool returns is cleaned or held back.
import assert from "node:assert/strict";
import { configureRbac, d2Guard, PermissionDeniedError, runAs } from "d2-sdk";
import { expectDecision, heading } from "../report.js";

interface Search {
  readonly query?: string;
  readonly limit?: number | string;
  readonly region?: string;
  readonly filters?: { readonly status: string };
}

const customer = {
  name: "Ada Example",
  ssn: "900-12-3456",
  email: "ada@mail.example",
  notes: "write to ada@mail.example or call",
  history: ["joined", "ordered", "complained", "ordered again"],
};
const files = new Map<string, unknown>([
  ["readme.txt", "Opening hours: nine to five."],
  ["deploy.pem", "-----BEGIN EC PRIVATE KEY-----\nnot really one"],
  ["settings.json", { theme: "dark", nested: { api_key: "invented" } }],
  ["novel.txt", "It was a long night. ".repeat(20)],
]);

let searches = 0;
const search = d2Guard("customers.search", (_: Search) => ++searches);
const exportCustomers = d2Guard("customers.export", () => [customer]);
const total = d2Guard("orders.total", (order: { amount: number; currency: string }) => order);
// Positional arguments get their names from `params`.
const readFile = d2Guard("files.read", { params: ["path"] }, (path: string) => files.get(path));

await configureRbac({ policyFile: new URL("guardrails_policy.yaml", import.meta.url) });

await runAs("carl", { roles: ["clerk"] }, async () => {
  heading("Bad inputs are blocked");
  await expectDecision("ok", "a proper search", () =>
    search({ query: "O'Hara", limit: 10, region: "north" }),
  );
  const bad: readonly (readonly [string, Search])[] = [
    ["no query", { limit: 10 }],
    ["too many records", { query: "smith", limit: 5000 }],
    ["a number as text", { query: "smith", limit: "10" }],
    ["a region that is not listed", { query: "smith", region: "everywhere" }],
    ["SQL in the query", { query: "x'; DROP TABLE customers --" }],
    ["deleted records", { query: "smith", filters: { status: "deleted" } }],
  ];
  for (const [what, args] of bad) await expectDecision("input_validation", what, () => search(args));
  assert.equal(searches, 1, "the tool ran for the proper search only");

  // The refusal says which rules were broken. What the argument held is nowhere in it.
  assert.throws(
    () => search({ query: "no", limit: 5000 }),
    (error) => {
      assert.ok(error instanceof PermissionDeniedError);
      assert.deepEqual(
        error.violations.map(({ path, operator }) => `${path} ${operator}`),
        ["query minLength", "limit max"],
      );
      assert.doesNotMatch(error.message, /5000/);
      return true;
    },
  );

  heading("Outputs are cleaned");
  const cleaned = await expectDecision("ok", "an export", () => exportCustomers());
  console.log(`    was  ${JSON.stringify(customer)}\n    is   ${JSON.stringify(cleaned?.[0])}`);
  assert.deepEqual(cleaned, [
    {
      name: "Ada Example",
      email: "[REDACTED]",
      notes: "write to [REDACTED] or call",
      history: ["joined", "ordered"],
    },
  ]);
  assert.equal(customer.ssn, "900-12-3456", "what the tool holds is never changed");

  heading("Outputs that must not leave are held back");
  await expectDecision("ok", "a total in euros", () => total({ amount: 12.5, currency: "EUR" }));
  await expectDecision("output_validation", "a negative total", () => total({ amount: -1, currency: "EUR" }));
  await expectDecision("ok", "a harmless file", () => readFile("readme.txt"));
  await expectDecision("output_sanitization", "a private key", () => readFile("deploy.pem"));
  await expectDecision("output_sanitization", "a field that must not be there", () =>
    readFile("settings.json"),
  );
  await expectDecision("output_sanitization", "more than 200 bytes", () => readFile("novel.txt"));
});

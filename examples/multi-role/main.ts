// Roles: what a user may do is the sum of the user's roles, guardrails of all of them hold together, and
// `allow: false` in any of them wins.
import assert from "node:assert/strict";
import { configureRbac, d2Guard, type ReasonCode, runAs } from "d2-sdk";
import { expectDecision, heading } from "../report.js";

interface Query {
  readonly table: string;
  readonly limit: number;
}

const query = d2Guard("warehouse.query", ({ table }: Query) => [{ table, email: "ada@mail.example" }]);
const readRepository = d2Guard("repo.read", ({ repository }: { repository: string }) => repository);
const readSalary = d2Guard("hr.read_salary", () => 50_000);
/** A tool about which only its name matters here. */
const tool = (id: string) => d2Guard(id, () => id);

await configureRbac({ policyFile: new URL("multi_role_policy.yaml", import.meta.url) });

/** Asks for some tools in one session. */
async function session(user: string, roles: string[], calls: [ReasonCode, string][]): Promise<void> {
  await runAs(user, { roles }, async () => {
    for (const [expected, id] of calls) {
      await expectDecision(expected, `${user} (${roles.join(", ")}): ${id}`, tool(id));
    }
  });
}

heading("Analyst tiers");
await runAs("june", { roles: ["analyst-junior"] }, async () => {
  const rows = await expectDecision("ok", "june: orders, 10 rows", () =>
    query({ table: "orders", limit: 10 }),
  );
  assert.deepEqual(rows, [{ table: "orders", email: "[REDACTED]" }]);
  await expectDecision("input_validation", "june: salaries", () => query({ table: "salaries", limit: 10 }));
  await expectDecision("input_validation", "june: too many", () => query({ table: "orders", limit: 1000 }));
});
await session("june", ["analyst-junior"], [["rbac_denied", "reports.generate"]]);
await session(
  "amir",
  ["analyst-junior", "analyst"],
  [
    ["ok", "reports.generate"],
    ["rbac_denied", "reports.publish"],
  ],
);
await session(
  "senna",
  ["analyst-junior", "analyst", "analyst-senior"],
  [
    ["ok", "reports.publish"],
    ["ok", "forecasts.run"],
  ],
);

heading("Engineering teams");
await session(
  "finn",
  ["frontend"],
  [
    ["ok", "repo.write"],
    ["ok", "ci.build"],
    ["rbac_denied", "database.migrate"],
  ],
);
await session("bea", ["backend"], [["ok", "database.migrate"]]);
await session(
  "sara",
  ["sre"],
  [
    ["ok", "deploy:production"],
    ["ok", "logs/search"],
    ["rbac_denied", "repo.write"],
  ],
);

heading("Limited access");
await runAs("cole", { roles: ["contractor"] }, async () => {
  await expectDecision("ok", "cole: a public repository", () =>
    readRepository({ repository: "public/site" }),
  );
  await expectDecision("input_validation", "cole: a private one", () =>
    readRepository({ repository: "private/pay" }),
  );
});
await runAs("hana", { roles: ["hr"] }, () => expectDecision("ok", "hana (hr): salaries", () => readSalary()));
await runAs("cole", { roles: ["contractor", "hr"] }, () =>
  expectDecision("rbac_denied", "cole (contractor, hr): salaries", () => readSalary()),
);
// The contractor's limit stays, though another role grants the tool without one.
await runAs("cole", { roles: ["contractor", "backend"] }, () =>
  expectDecision("input_validation", "cole (contractor, backend): a private repository", () =>
    readRepository({ repository: "private/pay" }),
  ),
);

heading("Service accounts");
await session(
  "nightly",
  ["svc-nightly-export"],
  [
    ["ok", "warehouse.export"],
    ["rbac_denied", "warehouse.query"],
  ],
);
await session(
  "billing",
  ["svc-billing"],
  [
    ["sequence_violation", "payments.execute"],
    ["ok", "invoices.create"],
    ["ok", "invoices.approve"],
    ["ok", "payments.execute"],
  ],
);

heading("A role name from outside");
// Only a policy can say `*`. Role lists often come from headers, where anyone may write it.
await session("mallory", ["*"], [["rbac_denied", "repo.read"]]);

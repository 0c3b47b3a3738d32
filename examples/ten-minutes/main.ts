// An app whose policy is written in ten minutes with the command `d2`; docs/ten-minutes.md shows them.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { configureRbac, PermissionDeniedError, runAs } from "d2-sdk";
import { deleteOrder, readOrder, refund, searchOrders, sendMail, summarize } from "./tools.js";

const beside = fileURLToPath(new URL("policy.yaml", import.meta.url));
await configureRbac({ policyFile: process.argv[2] ?? beside });

const decided: string[] = [];

function attempt(words: string, call: () => unknown): void {
  try {
    const result = call();
    decided.push("ok");
    console.log(`allow  ${words}: ${JSON.stringify(result)}`);
  } catch (error) {
    if (!(error instanceof PermissionDeniedError)) throw error;
    decided.push(error.reason);
    console.log(`deny   ${words}: ${error.reason}`);
  }
}

runAs("sam", { roles: ["support"] }, () => {
  attempt("read an order", () => readOrder({ id: 1 }));
  attempt("refund 40", () => refund({ order: 1, amount: 40 }));
  attempt("refund 700", () => refund({ order: 2, amount: 700 }));
  attempt("delete an order", () => deleteOrder({ id: 1 }));
});
runAs("assistant", { roles: ["assistant"] }, () => {
  attempt("search orders", () => searchOrders({ limit: 2 }));
  attempt("mail what was found", () => sendMail({ to: "all@shop.example", body: "…" }));
  attempt("summarize", () => summarize({ rows: 2 }));
  attempt("mail the summary", () => sendMail({ to: "all@shop.example", body: "…" }));
  attempt("mail somebody outside", () => sendMail({ to: "eve@evil.example", body: "…" }));
});

// Under the policy that `d2 init` writes nobody has these roles yet.
if (decided.includes("ok")) {
  assert.deepEqual(decided, [
    ...["ok", "ok", "input_validation", "rbac_denied"],
    ...["ok", "sequence_violation", "ok", "ok", "input_validation"],
  ]);
}

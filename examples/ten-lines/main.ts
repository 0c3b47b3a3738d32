import assert from "node:assert/strict";
// #region readme
import { configureRbac, d2Guard, runAs } from "d2-sdk";

await configureRbac({ policy: { policies: [{ role: "analyst", permissions: ["reports.read"] }] } });

const readReport = d2Guard("reports.read", (quarter: string) => `the numbers of ${quarter}`);

console.log(runAs("alice", { roles: ["analyst"] }, () => readReport("spring")));
try {
  runAs("bob", { roles: ["intern"] }, () => readReport("spring"));
} catch (error) {
  console.log(String(error));
}
// #endregion

assert.equal(
  runAs("alice", { roles: ["analyst"] }, () => readReport("spring")),
  "the numbers of spring",
);
assert.throws(() => runAs("bob", { roles: ["intern"] }, () => readReport("spring")), {
  reason: "rbac_denied",
});

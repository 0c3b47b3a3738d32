// An outside project: it has the packed packages and nothing of this repository. Compiled twice over, see consumer.mjs.
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { formatDocumentPath } from "d2-core";
import { loadPolicy } from "d2-policy";
import {
  check,
  configureRbac,
  type Decision,
  d2Guard,
  PermissionDeniedError,
  runAs,
  shutdownAllRbac,
  TOOL_ID,
} from "d2-sdk";
import { d2Express } from "d2-sdk/express";
import { headersExtractor, withD2 } from "d2-sdk/node";

const policy = `
metadata:
  name: consumer
  description: what an outside project needs
  expires: 2999-01-01T00:00:00Z
policies:
  - role: analyst
    permissions:
      - tool: report.read
        conditions:
          input:
            limit: { type: int, max: 10 }
      - report.list
`;

interface Query {
  table: string;
  limit: number;
}

const read = d2Guard("report.read", ({ table, limit }: Query) => `${table}:${limit}`);
const list = d2Guard("report.list", async (): Promise<readonly string[]> => ["a", "b"]);
const wipe = d2Guard("report.wipe", { onDeny: () => null }, (): number => 1);

class Desk {
  readonly open = "open";
  @d2Guard("report.read", { params: ["table", "limit"] })
  read(table: string, limit: number): string {
    return `${this.open} ${table}:${limit}`;
  }
}

await configureRbac({ policy, logger: { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} } });
await runAs("ada", { roles: ["analyst"] }, async () => {
  const text: string = read({ table: "sales", limit: 5 });
  assert.equal(text, "sales:5");
  const names: readonly string[] = await list();
  assert.deepEqual(names, ["a", "b"]);
  assert.throws(() => read({ table: "sales", limit: 11 }), PermissionDeniedError);
  const wiped: number | null = wipe();
  assert.equal(wiped, null);
  assert.equal(new Desk().read("sales", 5), "open sales:5");
  assert.throws(() => new Desk().read("sales", 11), PermissionDeniedError);
  const decision: Decision = check("report.wipe");
  assert.equal(decision.outcome, "deny");
});
assert.equal(Reflect.get(read, TOOL_ID), "report.read");
assert.throws(() => read({ table: "sales", limit: 5 }), { reason: "no_context" });
await shutdownAllRbac();

assert.equal(formatDocumentPath(["policies", 0, "role"]), "policies[0].role");
assert.equal(typeof loadPolicy, "function");
assert.equal(typeof d2Express(headersExtractor), "function");
const listener: RequestListener = withD2(headersExtractor, (_request, response) => response.end());
assert.equal(typeof listener, "function");

// @ts-expect-error the guarded function keeps its parameters
(): string => read({ table: "sales" });
// @ts-expect-error and its result
(): number => read({ table: "sales", limit: 1 });

import type { App, NewEvent, NewVersion, Storage, Token } from "../src/storage/storage.js";

// Rows for the tests of storage: what a test does not name has a plain value.

export function appRow(id: string, accountId = "acc_1", name = id): App {
  return { id, accountId, name, createdAt: 10, currentVersion: 0, revokedAt: null };
}

export function tokenRow(id: string, accountId = "acc_1"): Token {
  return {
    id,
    accountId,
    kind: "developer",
    scopes: ["policy.read", "policy.write"],
    appId: null,
    name: `of ${id}`,
    digest: `digest of ${id}`,
    createdAt: 10,
    lastUsedAt: null,
    revokedAt: null,
  };
}

export function versionRow(text: string, more: Partial<NewVersion> = {}): NewVersion {
  return {
    appId: "app_1",
    text,
    format: "yaml",
    policyDigest: "policy digest",
    contentDigest: "content digest",
    publishedAt: 1000,
    publishedBy: "tok_1",
    keyId: "ed_000000000001",
    signature: "signature",
    rollbackOf: null,
    ...more,
  };
}

export function eventRow(more: Partial<NewEvent> = {}): NewEvent {
  return {
    type: "authz_decision",
    occurredAt: 7_200_000,
    tool: "search",
    user: "ada",
    result: "allowed",
    reason: null,
    payload: "{}",
    ...more,
  };
}

/** Two accounts; the first has the app `app_1`. */
export async function fillAccounts(storage: Storage): Promise<void> {
  await storage.createAccount({ id: "acc_1", name: "one", plan: "free", createdAt: 1 });
  await storage.createAccount({ id: "acc_2", name: "two", plan: "free", createdAt: 2 });
  await storage.createApp(appRow("app_1"));
}

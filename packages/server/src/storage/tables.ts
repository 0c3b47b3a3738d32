import type { Change, SigningKey, TokenKind } from "./storage.js";

// The tables of the newest schema, as both databases answer: integers are numbers, bytes are whatever the driver makes of them.

/** How drivers hand out bytes. */
export type Bytes = Uint8Array | ArrayBuffer;

export interface Tables {
  accounts: { id: string; name: string; plan: string; created_at: number };
  apps: {
    id: string;
    account_id: string;
    name: string;
    created_at: number;
    current_version: number;
    revoked_at: number | null;
  };
  tokens: {
    id: string;
    account_id: string;
    kind: TokenKind;
    /** JSON list. */
    scopes: string;
    app_id: string | null;
    name: string;
    digest: string;
    created_at: number;
    last_used_at: number | null;
    revoked_at: number | null;
  };
  uploader_keys: {
    account_id: string;
    key_id: string;
    public_key: string;
    created_at: number;
    revoked_at: number | null;
  };
  signing_keys: {
    kid: string;
    alg: SigningKey["alg"];
    public_jwk: string;
    sealed: string;
    created_at: number;
    signs_from: number;
    listed_until: number | null;
    rotation_id: string | null;
    rotation_reason: string | null;
  };
  versions: {
    app_id: string;
    version: number;
    text: Bytes;
    format: "yaml" | "json";
    policy_digest: string;
    content_digest: string;
    published_at: number;
    published_by: string;
    key_id: string | null;
    signature: string | null;
    rollback_of: number | null;
  };
  drafts: {
    app_id: string;
    text: Bytes;
    format: "yaml" | "json";
    base_version: number;
    updated_at: number;
    updated_by: string;
    diagnostics: string;
  };
  nonces: { app_id: string; value: string; until: number };
  batches: { account_id: string; app_id: string; batch_id: string; accepted: number; received_at: number };
  /** The id of each account's latest event. */
  event_counters: { account_id: string; latest: number };
  events: {
    account_id: string;
    id: number;
    app_id: string;
    type: string;
    occurred_at: number;
    received_at: number;
    tool: string | null;
    user_id: string | null;
    result: string | null;
    reason: string | null;
    payload: string;
  };
  rollups: {
    account_id: string;
    hour: number;
    app_id: string;
    tool: string;
    result: string;
    reason: string;
    count: number;
  };
  changes: { seq: number; kind: Change["kind"]; id: string; changed_at: number };
  schema_versions: { version: number; name: string; applied_at: number };
}

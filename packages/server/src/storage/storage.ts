// What the control plane keeps. One interface, two databases; times are milliseconds since 1970-01-01T00:00:00Z.

export type TokenKind = "runtime" | "developer" | "admin";

export type Scope = "policy.read" | "policy.write" | "events.write" | "metrics.read" | "admin";

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly plan: string;
  readonly createdAt: number;
}

export interface App {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly createdAt: number;
  /** Version that is served; 0: none was ever published. */
  readonly currentVersion: number;
  /** When the app was revoked; null: it is not. */
  readonly revokedAt: number | null;
}

export interface Token {
  readonly id: string;
  readonly accountId: string;
  readonly kind: TokenKind;
  readonly scopes: readonly Scope[];
  /** Of runtime tokens. */
  readonly appId: string | null;
  readonly name: string;
  /** SHA-256 of the token's text, 64 lower-case hex digits. */
  readonly digest: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

/** A key of somebody who publishes: Ed25519. */
export interface UploaderKey {
  readonly accountId: string;
  /** `ed_` and 12 hex digits. */
  readonly keyId: string;
  /** Raw, 32 bytes, in standard base64. */
  readonly publicKey: string;
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

export interface SigningKey {
  readonly kid: string;
  readonly alg: "RS256" | "EdDSA";
  /** JWK without private members, as JSON. */
  readonly publicJwk: string;
  /** Encrypted private key, base64. */
  readonly sealed: string;
  readonly createdAt: number;
  readonly signsFrom: number;
  /** No longer listed from then on; null: for now without end. */
  readonly listedUntil: number | null;
  /** The rotation that brought it; null for the first. */
  readonly rotation: { readonly id: string; readonly reason: string } | null;
}

export interface PolicyVersion {
  readonly appId: string;
  /** From 1, without gaps. */
  readonly version: number;
  /** As it was uploaded, to the byte. */
  readonly text: string;
  readonly format: "yaml" | "json";
  /** Of the document. */
  readonly policyDigest: string;
  /** SHA-256 of the text's bytes, hex. */
  readonly contentDigest: string;
  readonly publishedAt: number;
  /** Id of the token that published it. */
  readonly publishedBy: string;
  /** Uploader key; null: rolled back by the server. */
  readonly keyId: string | null;
  readonly signature: string | null;
  /** Set where the content is that of an older version. */
  readonly rollbackOf: number | null;
}

export interface Draft {
  readonly appId: string;
  readonly text: string;
  readonly format: "yaml" | "json";
  /** The version that it edits; 0: none. */
  readonly baseVersion: number;
  readonly updatedAt: number;
  readonly updatedBy: string;
  /** JSON list of diagnostics. */
  readonly diagnostics: string;
}

/** One usage event, as stored. */
export interface StoredEvent {
  /** Ascending in the order of arrival; decimal text. */
  readonly id: string;
  readonly appId: string;
  readonly type: string;
  readonly occurredAt: number;
  readonly receivedAt: number;
  readonly tool: string | null;
  readonly user: string | null;
  readonly result: string | null;
  readonly reason: string | null;
  /** JSON. */
  readonly payload: string;
}

export type NewEvent = Omit<StoredEvent, "id" | "appId" | "receivedAt">;

/** What a client sends at once. */
export interface NewBatch {
  readonly accountId: string;
  readonly appId: string;
  /** Unique in its app. */
  readonly batchId: string;
  readonly events: readonly NewEvent[];
}

export interface EventQuery {
  readonly accountId: string;
  readonly appId?: string | undefined;
  /** Inclusive and exclusive bounds of `occurredAt`. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly type?: string | undefined;
  readonly tool?: string | undefined;
  readonly user?: string | undefined;
  readonly result?: string | undefined;
  readonly reason?: string | undefined;
  /** `newest`: descending ids, `oldest`: ascending. */
  readonly order: "newest" | "oldest";
  /** Only events beyond this id, in the direction of `order`. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface RollupQuery {
  readonly accountId: string;
  readonly appId?: string | undefined;
  readonly from: number;
  readonly to: number;
}

/** How often something happened in one hour. Only events with a `result` are counted. */
export interface Rollup {
  readonly appId: string;
  /** Beginning of the hour. */
  readonly hour: number;
  readonly tool: string;
  readonly result: string;
  /** Empty: none. */
  readonly reason: string;
  readonly count: number;
}

/** What another server, or another part of this one, must read anew. */
export interface Change {
  readonly kind: "app" | "token" | "signing_keys" | "uploader_key" | "account";
  /** Of what changed; empty where there is only one. */
  readonly id: string;
}

export type PublishOutcome =
  | { readonly outcome: "published"; readonly version: PolicyVersion }
  /** The live version is not the expected one; nothing was stored. */
  | { readonly outcome: "conflict"; readonly currentVersion: number }
  /** The nonce was used before; nothing was stored. */
  | { readonly outcome: "replayed" };

export interface NewVersion {
  readonly appId: string;
  readonly text: string;
  readonly format: "yaml" | "json";
  readonly policyDigest: string;
  readonly contentDigest: string;
  readonly publishedAt: number;
  readonly publishedBy: string;
  readonly keyId: string | null;
  readonly signature: string | null;
  readonly rollbackOf: number | null;
  /** The version that must be live; undefined: whichever is. */
  readonly expectedVersion?: number | undefined;
  /** Taken once, for as long as it is remembered. */
  readonly nonce?: { readonly value: string; readonly until: number } | undefined;
}

export interface IngestOutcome {
  readonly accepted: number;
  /** The batch was known, and nothing was stored now. */
  readonly duplicate: boolean;
}

/**
 * The control plane's memory. A promise that resolves means that what was given is on disk. Nothing here checks who may do
 * what; every method that is about an account's things takes the account and finds only its own.
 */
export interface Storage {
  readonly database: "sqlite" | "postgres";

  /** Whether the database answers and its schema is the one of this program. */
  ready(): Promise<boolean>;
  close(): Promise<void>;

  createAccount(account: Account): Promise<void>;
  account(id: string): Promise<Account | undefined>;
  /** The oldest first: that is the operator's. */
  accounts(): Promise<readonly Account[]>;

  /** @returns false when the account has an app of that name */
  createApp(app: App): Promise<boolean>;
  app(accountId: string, id: string): Promise<App | undefined>;
  appByName(accountId: string, name: string): Promise<App | undefined>;
  /** By name. */
  apps(accountId: string): Promise<readonly App[]>;
  countApps(accountId: string): Promise<number>;

  createToken(token: Token): Promise<void>;
  tokenByDigest(digest: string): Promise<Token | undefined>;
  tokens(accountId: string): Promise<readonly Token[]>;
  /** @returns false when there is no such token, or it was revoked before */
  revokeToken(accountId: string, id: string, at: number): Promise<boolean>;
  /** Last uses, gathered by the server and written now and then. */
  touchTokens(uses: ReadonlyMap<string, number>): Promise<void>;

  /** @returns `known` when the very key is registered; `taken` when another key, or a revoked one, has the id */
  registerUploaderKey(key: UploaderKey): Promise<"registered" | "known" | "taken">;
  uploaderKey(accountId: string, keyId: string): Promise<UploaderKey | undefined>;
  uploaderKeys(accountId: string): Promise<readonly UploaderKey[]>;
  revokeUploaderKey(accountId: string, keyId: string, at: number): Promise<boolean>;

  /** Oldest first. */
  signingKeys(): Promise<readonly SigningKey[]>;
  /** Adds a key, and sets when those before it are no longer listed. Only one caller at a time gets through. */
  addSigningKey(key: SigningKey, othersListedUntil: number | null): Promise<void>;
  /** Adds the first key; of several servers that try at once one wins. @returns whether this one did */
  addFirstSigningKey(key: SigningKey): Promise<boolean>;

  /** Stores the next version and makes it live, or nothing. Revives a revoked app, and removes the draft that it came from. */
  publish(version: NewVersion): Promise<PublishOutcome>;
  version(appId: string, version: number): Promise<PolicyVersion | undefined>;
  /** Newest first, without their texts. */
  versions(appId: string, limit: number): Promise<readonly Omit<PolicyVersion, "text">[]>;
  /** @returns false when it was revoked before, or nothing was ever published */
  revokeApp(accountId: string, appId: string, at: number): Promise<boolean>;
  saveDraft(draft: Draft): Promise<void>;
  draft(appId: string): Promise<Draft | undefined>;

  /** Stores a batch and counts it, in one transaction. */
  ingest(
    accountId: string,
    appId: string,
    batchId: string,
    events: readonly NewEvent[],
    receivedAt: number,
  ): Promise<IngestOutcome>;
  /** The same for several batches in one transaction: all or none. @returns outcomes in the order of the batches */
  ingestMany(batches: readonly NewBatch[], receivedAt: number): Promise<readonly IngestOutcome[]>;
  events(query: EventQuery): Promise<readonly StoredEvent[]>;
  rollups(query: RollupQuery): Promise<readonly Rollup[]>;
  /** Removes events, batch ids and nonces from before; roll-ups stay. In pieces, so that writers get their turn. @returns how many events */
  removeBefore(instant: number): Promise<number>;

  /** Calls the listener soon after something changed, here or by another server. @returns how to stop */
  watch(listener: (change: Change) => void): () => void;
}

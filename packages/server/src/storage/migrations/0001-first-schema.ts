import type { Migration } from "./migration.js";

export const firstSchema: Migration = {
  version: 1,
  name: "first-schema",
  statements: ({ text, integer, bytes, clustered }) => [
    `create table accounts (
      id ${text} not null primary key,
      name ${text} not null,
      plan ${text} not null,
      created_at ${integer} not null
    )`,
    `create table apps (
      id ${text} not null primary key,
      account_id ${text} not null references accounts (id),
      name ${text} not null,
      created_at ${integer} not null,
      current_version ${integer} not null,
      revoked_at ${integer},
      unique (account_id, name)
    )`,
    `create table tokens (
      id ${text} not null primary key,
      account_id ${text} not null references accounts (id),
      kind ${text} not null,
      scopes ${text} not null,
      app_id ${text} references apps (id),
      name ${text} not null,
      digest ${text} not null unique,
      created_at ${integer} not null,
      last_used_at ${integer},
      revoked_at ${integer}
    )`,
    "create index tokens_by_account on tokens (account_id)",
    `create table uploader_keys (
      account_id ${text} not null references accounts (id),
      key_id ${text} not null,
      public_key ${text} not null,
      created_at ${integer} not null,
      revoked_at ${integer},
      primary key (account_id, key_id)
    )`,
    `create table signing_keys (
      kid ${text} not null primary key,
      alg ${text} not null,
      public_jwk ${text} not null,
      sealed ${text} not null,
      created_at ${integer} not null,
      signs_from ${integer} not null,
      listed_until ${integer},
      rotation_id ${text},
      rotation_reason ${text}
    )`,
    `create table versions (
      app_id ${text} not null references apps (id),
      version ${integer} not null,
      text ${bytes} not null,
      format ${text} not null,
      policy_digest ${text} not null,
      content_digest ${text} not null,
      published_at ${integer} not null,
      published_by ${text} not null,
      key_id ${text},
      signature ${text},
      rollback_of ${integer},
      primary key (app_id, version)
    )`,
    `create table drafts (
      app_id ${text} not null primary key references apps (id),
      text ${bytes} not null,
      format ${text} not null,
      base_version ${integer} not null,
      updated_at ${integer} not null,
      updated_by ${text} not null,
      diagnostics ${text} not null
    )`,
    `create table nonces (
      app_id ${text} not null references apps (id),
      value ${text} not null,
      until ${integer} not null,
      primary key (app_id, value)
    )${clustered}`,
    "create index nonces_by_end on nonces (until)",
    `create table batches (
      account_id ${text} not null,
      app_id ${text} not null,
      batch_id ${text} not null,
      accepted ${integer} not null,
      received_at ${integer} not null,
      primary key (account_id, app_id, batch_id)
    )${clustered}`,
    "create index batches_by_arrival on batches (received_at)",
    `create table event_counters (
      account_id ${text} not null primary key references accounts (id),
      latest ${integer} not null
    )`,
    `create table events (
      account_id ${text} not null,
      id ${integer} not null,
      app_id ${text} not null,
      type ${text} not null,
      occurred_at ${integer} not null,
      received_at ${integer} not null,
      tool ${text},
      user_id ${text},
      result ${text},
      reason ${text},
      payload ${text} not null,
      primary key (account_id, id)
    )${clustered}`,
    "create index events_by_app on events (app_id, id)",
    `create table rollups (
      account_id ${text} not null,
      hour ${integer} not null,
      app_id ${text} not null,
      tool ${text} not null,
      result ${text} not null,
      reason ${text} not null,
      count ${integer} not null,
      primary key (account_id, hour, app_id, tool, result, reason)
    )${clustered}`,
    `create table changes (
      seq ${integer} not null primary key,
      kind ${text} not null,
      id ${text} not null,
      changed_at ${integer} not null
    )`,
  ],
};

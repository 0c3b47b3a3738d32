import type { Migration } from "./migration.js";

/** Denials are few among many events, and are what is looked for: they are found without reading the others. */
export const findEvents: Migration = {
  version: 2,
  name: "find-events",
  statements: () => [
    "create index events_by_result on events (account_id, result, id) where result is not null",
  ],
};

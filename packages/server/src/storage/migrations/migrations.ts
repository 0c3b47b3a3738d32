import { firstSchema } from "./0001-first-schema.js";
import { findEvents } from "./0002-find-events.js";
import type { Migration } from "./migration.js";

/** All of them, in their order. */
export const migrations: readonly Migration[] = Object.freeze([firstSchema, findEvents]);

/** The schema that this program reads and writes. */
export const programSchema: number = migrations.length;

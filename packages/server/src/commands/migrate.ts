import { Command } from "commander";
import { migrate } from "../storage/open-storage.js";
import { databaseOptions, settingsOf, withDatabaseOptions } from "./shared-options.js";
import type { Terminal } from "./terminal.js";

/** `d2-server migrate`: brings the database's schema up to date. */
export function migrateCommand(terminal: Terminal): Command {
  return withDatabaseOptions(new Command("migrate"))
    .description("bring the database up to date; safe to run at any time, also by several at once")
    .option("--json", "print JSON")
    .action(async (options: { data?: string; databaseUrl?: string; json?: true }) => {
      const outcome = await migrate(databaseOptions(settingsOf(terminal, options)));
      const { from, to, applied } = outcome;
      terminal.out(
        options.json === true
          ? `${JSON.stringify(outcome)}\n`
          : applied.length === 0
            ? `the database is up to date (schema ${to})\n`
            : `schema ${from} -> ${to}: ${applied.join(", ")}\n`,
      );
    });
}

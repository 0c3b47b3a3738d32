import type { Command } from "commander";
import { readSettings, type Settings, type SettingsInput } from "../settings.js";
import type { Terminal } from "./terminal.js";

/** The options that say which database and data a command works on. */
export function withDatabaseOptions(command: Command): Command {
  return command
    .option("--data <folder>", "folder of the database and the server's key (D2_SERVER_DATA)")
    .option("--database-url <url>", "PostgreSQL instead of SQLite (DATABASE_URL, which hides the password)");
}

/** The settings of the environment, with a command's flags over them. @throws SettingsError */
export function settingsOf(
  terminal: Terminal,
  options: { readonly data?: string; readonly databaseUrl?: string },
  flags: SettingsInput = {},
): Settings {
  return readSettings(terminal.environment, {
    dataFolder: options.data,
    databaseUrl: options.databaseUrl,
    ...flags,
  });
}

/** How to open the database of the settings. */
export function databaseOptions({ databaseUrl, databaseFile }: Settings) {
  return { url: databaseUrl, file: databaseFile };
}

import { Command, CommanderError } from "commander";
import { SettingsError } from "../settings.js";
import { StorageError } from "../storage/storage-error.js";
import { bootstrapCommand } from "./bootstrap.js";
import { doctorCommand } from "./doctor.js";
import { migrateCommand } from "./migrate.js";
import { rotateKeysCommand } from "./rotate-keys.js";
import { startCommand } from "./start.js";
import { CommandError, EXIT, type Terminal } from "./terminal.js";

/** Runs `d2-server` with these arguments. @returns the exit code: 0 done, 1 found something, 2 wrong usage, 3 failed */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = new Command("d2-server")
    .description("The control plane of d2: signed policies, their versions, and usage events.")
    .addHelpText("after", "\nSettings come from the environment too; the README lists them. Flags win.")
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  let exitCode: number = EXIT.done;
  const done = (code: number) => {
    exitCode = code;
  };
  const makers = [startCommand, migrateCommand, bootstrapCommand, rotateKeysCommand, doctorCommand];
  for (const make of makers) program.addCommand(make(terminal, done).copyInheritedSettings(program));
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const { message, exitCode: code } = failure(error);
    terminal.err(`d2-server: ${message}\n`);
    return code;
  }
}

function failure(error: unknown): { readonly message: string; readonly exitCode: number } {
  if (error instanceof CommandError) return error;
  if (error instanceof SettingsError) return { message: error.message, exitCode: EXIT.usage };
  if (error instanceof StorageError) return { message: storageWords(error), exitCode: EXIT.failed };
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return { message: systemWords(code, error), exitCode: EXIT.failed };
}

function storageWords(error: StorageError): string {
  return error.code === "schema_older" ? `${error.message}; \`d2-server migrate\` does it` : error.message;
}

function systemWords(code: string, error: unknown): string {
  switch (code) {
    case "EADDRINUSE":
      return "the port is in use: stop what listens there, or choose another with `--port`";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "this machine does not have the address of `--host`: give one that it has, or 0.0.0.0";
    case "EACCES":
    case "EPERM":
      return `the system forbids it (${code}): check the port, and the owner and mode of the data folder and key files`;
    case "ENOENT":
      return "a file that the settings name does not exist: check `--tls-cert` and `--tls-key`";
    case "ENOSPC":
    case "EROFS":
      return `the data folder cannot be written (${code}): make room, or choose another with \`--data\``;
  }
  // Messages of errors that are not ours may quote what they were given.
  return `failed unexpectedly (${error instanceof Error ? error.name : typeof error}${code === "" ? "" : ` ${code}`})`;
}

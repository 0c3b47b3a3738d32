import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Environment variables; `process.env` is one. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of a variable. Unset and empty are the same. */
export function readText(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === undefined || value === "" ? undefined : value;
}

/** Whether a switch is on: `1`, `true`, `yes`, `on` in any case. Anything else is off. */
export function isSwitchedOn(environment: Environment, name: string): boolean {
  return ["1", "true", "yes", "on"].includes(environment[name]?.toLowerCase() ?? "");
}

/**
 * The folder for configuration as the XDG Base Directory Specification has it: `$XDG_CONFIG_HOME`, where a relative
 * path counts as unset, else `~/.config`. Undefined for a user who has no home.
 */
export function configHome(environment: Environment): string | undefined {
  const configured = readText(environment, "XDG_CONFIG_HOME");
  if (configured !== undefined && isAbsolute(configured)) return configured;
  try {
    return join(readText(environment, "HOME") ?? homedir(), ".config");
  } catch {
    // A user id without an entry in the user database, as containers have them.
    return undefined;
  }
}

import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readCloudSettings } from "d2-sdk/cloud";
import { configHome } from "d2-sdk/files";
import { type Options, textOption } from "../command.js";
import type { Terminal } from "../terminal.js";
import { UsageError } from "../usage-error.js";

/** What `d2 login` and `d2 switch` keep. */
export interface Credentials {
  readonly apiUrl?: string | undefined;
  readonly token?: string | undefined;
  /** The app that commands mean when none is named. */
  readonly app?: string | undefined;
}

/** Whom a command speaks to, and as whom. */
export interface Access {
  /** Without a slash at the end. */
  readonly apiUrl: string;
  readonly jwksUrl: string;
  readonly token: string;
  /** Where the token comes from, for messages. */
  readonly from: "D2_TOKEN" | "d2 login";
}

/** The folder of the user's configuration for d2, absolute. */
export function configFolder({ environment }: Terminal): string {
  const home = configHome(environment);
  if (home === undefined) {
    throw new UsageError(
      "you have no folder for configuration: set `XDG_CONFIG_HOME`, or give the token in `D2_TOKEN`",
    );
  }
  return join(home, "d2");
}

const credentialsPath = (terminal: Terminal): string => join(configFolder(terminal), "credentials.json");

export function readCredentials(terminal: Terminal): Credentials {
  const path = credentialsPath(terminal);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
  try {
    const { api_url: apiUrl, token, app } = JSON.parse(text);
    return { apiUrl, token, app };
  } catch {
    throw new UsageError(`\`${terminal.shown(path)}\` is damaged: log in again with \`d2 login\``);
  }
}

/** Readable by the user alone, and whole at every moment. */
export function writeCredentials(terminal: Terminal, { apiUrl, token, app }: Credentials): string {
  const path = credentialsPath(terminal);
  writePrivate(path, `${JSON.stringify({ api_url: apiUrl, token, app }, undefined, 2)}\n`);
  return path;
}

/** @returns whether there were any */
export function removeCredentials(terminal: Terminal): boolean {
  const there = readCredentials(terminal).token !== undefined;
  rmSync(credentialsPath(terminal), { force: true });
  return there;
}

/** Writes a file of mode 0600 in a folder of mode 0700, in one step. */
export function writePrivate(path: string, data: string | Uint8Array): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, data, { mode: 0o600 });
  chmodSync(draft, 0o600); // the mode of a file that was left over is another one
  renameSync(draft, path);
}

/**
 * Whom to speak to: `D2_TOKEN` and `D2_API_URL` win over what `d2 login` has kept, and `--api-url` over both.
 *
 * @throws UsageError when there is no token
 */
export function accessOf(terminal: Terminal, options: Options): Access {
  const { environment } = terminal;
  const kept = readCredentials(terminal);
  const fromEnvironment = environment["D2_TOKEN"];
  const named = textOption(options, "apiUrl") ?? environment["D2_API_URL"];
  if (fromEnvironment !== undefined && fromEnvironment !== "") {
    return { ...settings(fromEnvironment, named ?? kept.apiUrl, terminal), from: "D2_TOKEN" };
  }
  if (kept.token === undefined) {
    throw new UsageError("you are not logged in: `d2 login` keeps a token, or give one in `D2_TOKEN`");
  }
  if (named !== undefined && sameUrl(named) !== sameUrl(kept.apiUrl ?? "")) {
    throw new UsageError(
      `the token that \`d2 login\` has kept is for ${kept.apiUrl}, and this is for another control plane: log in there, or set \`D2_TOKEN\``,
    );
  }
  return { ...settings(kept.token, kept.apiUrl, terminal), from: "d2 login" };
}

/** Checks a token and a URL as the guard does: https, or this machine. */
export function settings(
  token: string,
  apiUrl: string | undefined,
  terminal: Terminal,
): Omit<Access, "from"> {
  const read = readCloudSettings({ token, apiUrl }, { ...terminal.environment, D2_TOKEN: token });
  if (read === undefined) throw new UsageError("give a token: `d2 login`, or `D2_TOKEN`");
  return { token, apiUrl: read.apiUrl, jwksUrl: read.jwksUrl };
}

function sameUrl(url: string): string {
  return url.replace(/\/+$/, "");
}

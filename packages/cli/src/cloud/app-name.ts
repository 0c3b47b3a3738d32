import { type Options, textOption } from "../command.js";
import type { Terminal } from "../terminal.js";
import { readCredentials } from "./credentials.js";

/** The app that is meant: `--app-name`, `D2_APP_NAME`, the policy at hand, or the one that `d2 switch` chose. */
export function appName(terminal: Terminal, options: Options, ofPolicy?: string): string | undefined {
  const environment = terminal.environment["D2_APP_NAME"];
  return (
    textOption(options, "appName") ??
    (environment === undefined || environment === "" ? undefined : environment) ??
    ofPolicy ??
    readCredentials(terminal).app
  );
}

import { type Options, textOption } from "../command.js";
import type { Terminal } from "../terminal.js";
import { UsageError } from "../usage-error.js";
import type { ControlPlane } from "./control-plane.js";
import { readCredentials } from "./credentials.js";
import { itemsOf, membersOf, wordOf } from "./members.js";

/** The app that is meant: `--app-name`, `D2_APP_NAME`, or the one that `d2 switch` chose. */
export function namedApp(terminal: Terminal, options: Options): string | undefined {
  const environment = terminal.environment["D2_APP_NAME"];
  return (
    textOption(options, "appName") ??
    (environment === undefined || environment === "" ? undefined : environment) ??
    readCredentials(terminal).app
  );
}

/**
 * The same, else the only app of the account.
 *
 * @returns undefined for a token that is bound to an app
 * @throws UsageError when there are several, or none
 */
export async function appOf(
  plane: ControlPlane,
  terminal: Terminal,
  options: Options,
): Promise<string | undefined> {
  const named = namedApp(terminal, options);
  if (named !== undefined) return named;
  const { status, body } = await plane.ask({ path: "/v1/apps", accept: [403] });
  if (status === 403) return undefined;
  const names = itemsOf(membersOf(body)["apps"]).map(({ name }) => wordOf(name));
  const [only] = names;
  if (only === undefined) throw new UsageError("the account has no app yet: `d2 publish` makes one");
  if (names.length === 1) return only;
  const shown = names.map((name) => `\`${name}\``).join(", ");
  throw new UsageError(
    `say which app with \`--app-name\`, or choose one with \`d2 switch\`: there are ${shown}`,
  );
}

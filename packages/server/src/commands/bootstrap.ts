import { randomBytes } from "node:crypto";
import { Command } from "commander";
import { APP_NAME } from "../admin/app-routes.js";
import { newId } from "../admin/id.js";
import { createToken, SCOPES } from "../admin/new-token.js";
import { createLogger, openDatabase } from "../server.js";
import type { Storage } from "../storage/storage.js";
import { settingsOf, withDatabaseOptions } from "./shared-options.js";
import { CommandError, EXIT, type Terminal } from "./terminal.js";

interface BootstrapOptions {
  readonly data?: string;
  readonly databaseUrl?: string;
  readonly account: string;
  readonly app: string;
  readonly plan: string;
  readonly another?: true;
  readonly json?: true;
}

interface Bootstrapped {
  readonly account_id: string;
  readonly app_id: string;
  readonly app_name: string;
  readonly tokens: { readonly runtime: string; readonly developer: string; readonly admin: string };
}

/** `d2-server bootstrap`: the first account with an app and a token of each kind. */
export function bootstrapCommand(terminal: Terminal): Command {
  return withDatabaseOptions(new Command("bootstrap"))
    .description("make the first account, an app and tokens; prints the tokens, which cannot be shown again")
    .option("--account <name>", "name of the account", "default")
    .option("--app <name>", "name of the app: `metadata.name` of its policies", "default")
    .option("--plan <name>", "plan of the account (D2_SERVER_PLANS)", "default")
    .option("--another", "also when there is an account already")
    .option("--json", "print JSON")
    .action(async (options: BootstrapOptions) => {
      if (!APP_NAME.safeParse(options.app).success) {
        throw new CommandError("`--app` must be 1 to 128 letters, digits, `.`, `_` or `-`", EXIT.usage);
      }
      const settings = settingsOf(terminal, options);
      const storage = await openDatabase(settings, Date.now, createLogger("silent"));
      try {
        const made = await bootstrap(storage, options);
        terminal.out(options.json === true ? `${JSON.stringify(made)}\n` : shown(made));
      } finally {
        await storage.close();
      }
    });
}

async function bootstrap(storage: Storage, options: BootstrapOptions): Promise<Bootstrapped> {
  if (options.another !== true && (await storage.accounts()).length > 0) {
    throw new CommandError(
      "the database has an account already: make tokens with `POST /v1/tokens`, or another account with `--another`",
      EXIT.found,
    );
  }
  const accountId = newId("acc", randomBytes);
  const appId = newId("app", randomBytes);
  const createdAt = Date.now();
  await storage.createAccount({ id: accountId, name: options.account, plan: options.plan, createdAt });
  await storage.createApp({
    id: appId,
    accountId,
    name: options.app,
    createdAt,
    currentVersion: 0,
    revokedAt: null,
  });
  const make = async (kind: "runtime" | "developer" | "admin") => {
    const request = {
      accountId,
      kind,
      // Whoever sets a server up alone publishes, and wants to see what comes of it.
      scopes: kind === "developer" ? SCOPES.developer.possible : undefined,
      appId: kind === "runtime" ? appId : null,
      name: "bootstrap",
    };
    return (await createToken({ storage, clock: Date.now, randomBytes }, request)).text;
  };
  return {
    account_id: accountId,
    app_id: appId,
    app_name: options.app,
    tokens: {
      runtime: await make("runtime"),
      developer: await make("developer"),
      admin: await make("admin"),
    },
  };
}

function shown({ account_id, app_id, app_name, tokens }: Bootstrapped): string {
  return [
    `account    ${account_id}`,
    `app        ${app_id} (${app_name})`,
    "",
    "tokens, shown this once:",
    `runtime    ${tokens.runtime}   D2_TOKEN of the app`,
    `developer  ${tokens.developer}   \`d2 login\`, to publish`,
    `admin      ${tokens.admin}   apps, tokens and keys`,
    "",
  ].join("\n");
}

import { Command, Option } from "commander";
import { baseServices, createLogger, openDatabase } from "../server.js";
import { standardParts } from "../standard-parts.js";
import type { SigningKey } from "../storage/storage.js";
import { settingsOf, withDatabaseOptions } from "./shared-options.js";
import { CommandError, EXIT, type Terminal } from "./terminal.js";

interface RotateOptions {
  readonly data?: string;
  readonly databaseUrl?: string;
  readonly immediate?: true;
  readonly alg?: SigningKey["alg"];
  readonly reason?: string;
  readonly json?: true;
}

/** `d2-server rotate-keys`: a new signing key, through the database; running servers hear of it. */
export function rotateKeysCommand(terminal: Terminal): Command {
  return withDatabaseOptions(new Command("rotate-keys"))
    .description("make a new signing key; running servers take it up within a second")
    .option("--immediate", "sign with it at once, as when a key may be known to others")
    .addOption(new Option("--alg <algorithm>", "RS256 or EdDSA").choices(["RS256", "EdDSA"]))
    .option("--reason <words>", "told to clients and kept with the key")
    .option("--json", "print JSON")
    .action(async (options: RotateOptions) => {
      if (options.reason !== undefined && !/^[ -~]{1,200}$/.test(options.reason)) {
        throw new CommandError("`--reason` must be 1 to 200 printable ASCII characters", EXIT.usage);
      }
      const settings = settingsOf(terminal, options);
      const logger = createLogger("silent");
      const storage = await openDatabase({ ...settings, migrate: false }, Date.now, logger);
      try {
        const services = baseServices({ storage, clock: Date.now, logger }, settings, () => false);
        const signing = await (terminal.parts?.signing ?? standardParts.signing)(services);
        try {
          const { immediate = false, alg, reason } = options;
          terminal.out(shown(await signing.rotate({ immediate, alg, reason }), options.json === true));
        } finally {
          await signing.close();
        }
      } finally {
        await storage.close();
      }
    });
}

function shown({ kid, alg, signsFrom }: SigningKey, json: boolean): string {
  const from = new Date(signsFrom).toISOString();
  return json
    ? `${JSON.stringify({ kid, alg, signs_from: from })}\n`
    : `the key ${kid} (${alg}) is listed now and signs from ${from}\n`;
}

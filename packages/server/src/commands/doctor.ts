import { Command } from "commander";
import type { Settings } from "../settings.js";
import {
  checkCertificate,
  checkDatabase,
  checkFolder,
  checkServerKey,
  type Finding,
} from "./doctor-checks.js";
import { settingsOf, withDatabaseOptions } from "./shared-options.js";
import { EXIT, type Terminal } from "./terminal.js";

const CHECKS: readonly ((settings: Settings) => Promise<readonly Finding[]>)[] = [
  checkFolder,
  checkServerKey,
  checkCertificate,
  checkDatabase,
];

/** `d2-server doctor`: looks at everything that a start needs, changes nothing, and says how to mend what is wrong. */
export function doctorCommand(terminal: Terminal, done: (code: number) => void): Command {
  return withDatabaseOptions(new Command("doctor"))
    .description("check settings, data folder, key, certificate, database and clock")
    .option("--json", "print JSON")
    .action(async (options: { data?: string; databaseUrl?: string; json?: true }) => {
      const settings = settingsOf(terminal, options);
      const findings: Finding[] = [{ name: "settings", ok: true, says: "can be used" }];
      for (const check of CHECKS) findings.push(...(await check(settings)));
      const ok = findings.every((finding) => finding.ok);
      terminal.out(
        options.json === true ? `${JSON.stringify({ ok, findings })}\n` : findings.map(line).join(""),
      );
      done(ok ? EXIT.done : EXIT.found);
    });
}

function line({ name, ok, says }: Finding): string {
  return `${ok ? "ok   " : "wrong"}  ${name}: ${says}\n`;
}

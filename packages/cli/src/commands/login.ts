import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { ControlPlane } from "../cloud/control-plane.js";
import { readCredentials, settings, writeCredentials } from "../cloud/credentials.js";
import { membersOf, wordOf } from "../cloud/members.js";
import { type Run, textOption } from "../command.js";
import { OK } from "../exit-code.js";
import type { Terminal } from "../terminal.js";
import { UsageError } from "../usage-error.js";

export const runLogin: Run = async (_args, options, terminal) => {
  const kept = readCredentials(terminal);
  const apiUrl = textOption(options, "apiUrl") ?? terminal.environment["D2_API_URL"] ?? kept.apiUrl;
  const token = await askForToken(terminal);
  const access = { ...settings(token, apiUrl, terminal), from: "d2 login" as const };
  const { body } = await new ControlPlane(access).ask({ path: "/v1/accounts/me" });
  const path = writeCredentials(terminal, { apiUrl: access.apiUrl, token, app: kept.app });
  const me = membersOf(body);
  const kind = wordOf(membersOf(me["token"])["kind"]);
  if (options["json"] === true) {
    terminal.printJson("login", {
      api_url: access.apiUrl,
      account_id: me["account_id"],
      path: terminal.shown(path),
    });
  } else {
    terminal.print(
      `logged in at ${access.apiUrl} to the account ${wordOf(me["account_id"])} with a ${kind} token, kept in ${terminal.shown(path)}\n`,
    );
    if (terminal.environment["D2_TOKEN"]) {
      terminal.print(`${terminal.marks.warn("`D2_TOKEN` is set, and wins over it")}\n`);
    }
  }
  return OK;
};

/** From standard input, where it does not show in the list of processes; typed, it is not shown either. */
async function askForToken(terminal: Terminal): Promise<string> {
  const token = process.stdin.isTTY ? await typed(terminal) : (await terminal.input()).trim();
  if (token === "")
    throw new UsageError("no token was given: pipe it in, as in `d2 login < token.txt`, or type it");
  return token;
}

async function typed(terminal: Terminal): Promise<string> {
  terminal.printError("token: ");
  const silent = new Writable({ write: (_part, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return (await lines.question("")).trim();
  } finally {
    lines.close();
    terminal.printError("\n");
  }
}

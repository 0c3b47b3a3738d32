import { createInterface } from "node:readline/promises";
import type { Options } from "../command.js";
import type { Terminal } from "../terminal.js";
import { UsageError } from "../usage-error.js";

/**
 * Asks before something that is felt elsewhere; `--force` answers yes.
 *
 * @throws UsageError when there is nobody to ask
 */
export async function confirmed(question: string, options: Options, terminal: Terminal): Promise<boolean> {
  if (options["force"] === true) return true;
  if (!process.stdin.isTTY || !terminal.watched) {
    throw new UsageError(`there is nobody to ask (${question}): say yes beforehand with \`--force\``);
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

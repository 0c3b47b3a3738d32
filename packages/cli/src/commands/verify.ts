import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Head, readHeads, type VerifyOptions, verifyLog, verifyText } from "d2-policy/log";
import { type Run, textArgument, textOption } from "../command.js";
import { ANSWER_IS_NO, OK } from "../exit-code.js";
import { openLog } from "../log-file.js";
import { Progress } from "../progress.js";
import type { Terminal } from "../terminal.js";
import { UsageError } from "../usage-error.js";

export const runVerify: Run = async (args, options, terminal) => {
  const log = openLog(terminal, textArgument(args, 0));
  const { heads, file: headFile } = readHeadFile(terminal, textOption(options, "head"), log.files?.heads);
  const key = readKey(terminal, textOption(options, "key"));
  if (key !== undefined && heads === undefined) {
    throw new UsageError(
      "`--key` checks signed heads, and there are none beside the log: name them with `--head`",
    );
  }
  const progress = new Progress(terminal);
  const result = await verifyLog(log.source(), {
    heads,
    verifySignature: key && signatureCheck(key),
    stream: log.files?.stream,
    progressEvery: 5_000,
    onProgress: ({ events }) => progress.show(`verified ${events} events`),
  });
  progress.done();
  const files = { log: log.file, heads: headFile, key: textOption(options, "key") };
  if (options["json"] === true) terminal.printJson("verify", { files, ...result });
  else
    terminal.print(verifyText(result, { file: log.file, keyed: key !== undefined, marks: terminal.marks }));
  return result.ok ? OK : ANSWER_IS_NO;
};

/** Signed heads: those that were named, else those beside the log. */
export function readHeadFile(
  terminal: Terminal,
  named: string | undefined,
  beside: string | undefined,
): { readonly heads: readonly Head[] | undefined; readonly file: string | undefined } {
  const path = named === undefined ? beside : terminal.path(named);
  if (path === undefined) return { heads: undefined, file: undefined };
  const file = terminal.shown(path);
  const { heads, badLines } = readHeads(readFileSync(path, "utf8"));
  if (badLines.length > 0) {
    throw new UsageError(
      `line ${badLines[0]} of \`${file}\` is no signed head: give the file that the log's writer made`,
    );
  }
  return { heads, file };
}

function readKey(terminal: Terminal, named: string | undefined): KeyObject | undefined {
  if (named === undefined) return undefined;
  const path = terminal.path(named);
  const pem = readFileSync(path, "utf8");
  try {
    return createPublicKey(pem);
  } catch {
    throw new UsageError(
      `\`${terminal.shown(path)}\` holds no public key: give it in PEM, as \`openssl pkey -pubout\` writes it`,
    );
  }
}

function signatureCheck(key: KeyObject): NonNullable<VerifyOptions["verifySignature"]> {
  return (message, signature) => verify(null, Buffer.from(message), key, Buffer.from(signature, "base64url"));
}

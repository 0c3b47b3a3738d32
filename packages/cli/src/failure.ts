import { D2Error } from "d2-core/call";
import { CloudError } from "./cloud/cloud-error.js";
import type { Options } from "./command.js";
import { ANSWER_IS_NO, type ExitCode, INTERNAL, OK, USAGE } from "./exit-code.js";
import { ReaderGone, type Terminal } from "./terminal.js";
import { UsageError } from "./usage-error.js";

/**
 * Tells the user what went wrong, in one paragraph, and what the shell is told. The stack is for `--debug`.
 *
 * @param command absent when it is not known which was meant
 */
export function tellFailure(
  error: unknown,
  command: string | undefined,
  options: Options,
  terminal: Terminal,
): ExitCode {
  if (error instanceof ReaderGone) return OK;
  const known = isKnown(error);
  const message = known ? error.message : unexpected(error);
  if (options["json"] === true) {
    const { code, diagnostics } = known ? error : { code: "internal", diagnostics: undefined };
    terminal.printJson("error", { command, code, message, ...(diagnostics && { diagnostics }) });
  }
  terminal.printError(`${terminal.errorMarks.bad("d2:")} ${message}\n`);
  if (options["debug"] === true && error instanceof Error) terminal.printError(`${error.stack}\n`);
  if (error instanceof CloudError && error.status === 412) return ANSWER_IS_NO;
  return known ? USAGE : INTERNAL;
}

interface Known extends Error {
  readonly code: string;
  readonly diagnostics?: readonly unknown[] | undefined;
}

/** Errors that are the user's to mend. */
function isKnown(error: unknown): error is Known {
  return (
    error instanceof UsageError ||
    error instanceof CloudError ||
    error instanceof D2Error ||
    isSystemError(error)
  );
}

/** A file that is not there, may not be read, and the like; the message names it. */
function isSystemError(error: unknown): error is Known {
  return error instanceof Error && "syscall" in error && "code" in error && typeof error.code === "string";
}

function unexpected(error: unknown): string {
  const what = error instanceof Error ? error.message : "something that is no error was thrown";
  return `a fault of this program: ${what}; run it again with \`--debug\` and report what it prints`;
}

/** What the command tells the shell. */
export type ExitCode = 0 | 1 | 2 | 3;

export const OK: ExitCode = 0;
/** The answer is no: tests fail, a decision denies and `--check` was given, something differs. */
export const ANSWER_IS_NO: ExitCode = 1;
/** The command, its files or the policy cannot be used. */
export const USAGE: ExitCode = 2;
/** A fault of the program itself. */
export const INTERNAL: ExitCode = 3;

import type { ExitCode } from "./exit-code.js";
import type { Terminal } from "./terminal.js";

/** One option of a command. */
export interface OptionSpec {
  /** As commander writes them: `-p, --policy <file>`. */
  readonly flags: string;
  readonly words: string;
  readonly choices?: readonly string[];
  /** What the option completes to in a shell, besides `choices`. */
  readonly completes?: "file" | "folder";
}

/** A command, as help, completion and the reference show it. */
export interface CommandSpec {
  readonly name: string;
  /** As commander writes them: `<log>`, `[files...]`. */
  readonly args: readonly {
    readonly name: string;
    readonly words: string;
    readonly choices?: readonly string[];
  }[];
  /** One line. */
  readonly summary: string;
  /** Sentences below the usage. */
  readonly details?: string;
  readonly options: readonly OptionSpec[];
  readonly examples: readonly { readonly line: string; readonly words: string }[];
  readonly load: () => Promise<Run>;
}

/** The options of one run, by their long names in camel case. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** Runs a command. What it throws is told to the user. */
export type Run = (
  args: readonly (string | readonly string[] | undefined)[],
  options: Options,
  terminal: Terminal,
  /** All there are. */
  commands: readonly CommandSpec[],
) => Promise<ExitCode>;

/** The text of an option. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/** The names in an option that takes several, separated by commas. */
export function listOption(options: Options, name: string): readonly string[] | undefined {
  return textOption(options, name)
    ?.split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** The argument at a place that takes one. */
export function textArgument(args: readonly (string | readonly string[] | undefined)[], at: number): string {
  const value = args[at];
  return typeof value === "string" ? value : "";
}

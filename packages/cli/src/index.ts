export type { CommandSpec, OptionSpec, Options, Run } from "./command.js";
export { COMMANDS, COMMON_OPTIONS, runCommandLine } from "./command-line.js";
export type { ExitCode } from "./exit-code.js";
export { type Environment, Terminal } from "./terminal.js";

import { Command, CommanderError, Option } from "commander";
import { CLOUD_COMMANDS } from "./cloud-commands.js";
import type { CommandSpec, Options } from "./command.js";
import { type ExitCode, OK, USAGE } from "./exit-code.js";
import { tellFailure } from "./failure.js";
import { LOCAL_COMMANDS } from "./local-commands.js";
import type { Terminal } from "./terminal.js";
import { ownVersion } from "./version.js";

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [...LOCAL_COMMANDS, ...CLOUD_COMMANDS];

/**
 * Runs a command line.
 *
 * @param argv without the names of the program and the runtime
 * @returns what to tell the shell
 */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = OK;
  const program = build(terminal, async (spec, args, options) => {
    try {
      const run = await spec.load();
      code = await run(args, options, terminal, COMMANDS);
    } catch (error) {
      code = tellFailure(error, spec.name, options, terminal);
    }
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    // Commander has printed what it found wrong; help and the version are no faults.
    if (error instanceof CommanderError) return error.exitCode === 0 ? OK : USAGE;
    return tellFailure(error, undefined, {}, terminal);
  }
  return code;
}

type Action = (
  spec: CommandSpec,
  args: readonly (string | readonly string[] | undefined)[],
  options: Options,
) => Promise<void>;

function build(terminal: Terminal, action: Action): Command {
  const program = new Command("d2")
    .description("Write, test, explain, compare and analyse the policies of guarded functions.")
    .version(ownVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "show this help, or that of a command")
    .helpCommand("help [command]", "show the help of a command")
    .configureOutput({
      writeOut: (text) => terminal.print(text),
      writeErr: (text) => terminal.printError(text),
      outputError: (text, write) => write(text.replace(/^error: /, "d2: ")),
      getOutHasColors: () => terminal.coloured,
    })
    .configureHelp({ styleTitle: terminal.marks.strong, helpWidth: Math.min(terminal.width, 110) })
    .showHelpAfterError("Run `d2 --help` for the commands, `d2 help <command>` for one of them.")
    // `--version` before a command is that of the program, after `draft` that of a policy.
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText("after", OVERVIEW);
  for (const spec of COMMANDS) program.addCommand(commandOf(spec, program, action));
  return program;
}

const OVERVIEW = `
A policy is found as a guard finds it: \`D2_POLICY_FILE\`, then \`d2/policy.yaml\` in the user's
configuration folder, then \`policy.yaml\` in the current one; \`--policy FILE\` names another.

Exit codes: 0 ok; 1 the answer is no (tests fail, a checked decision denies, something differs);
2 the command, the policy or a file cannot be used; 3 a fault of this program.

Start with \`d2 init\`, in the folder of the program that is to be guarded.
`;

function commandOf(spec: CommandSpec, program: Command, action: Action): Command {
  const command = new Command(spec.name).copyInheritedSettings(program).summary(spec.summary);
  command.description([spec.summary, spec.details ?? ""].join("\n\n").trim());
  for (const { name, words, choices } of spec.args) {
    const argument = command.createArgument(name, words);
    command.addArgument(choices === undefined ? argument : argument.choices(choices));
  }
  for (const { flags, words, choices } of spec.options) {
    const option = new Option(flags, words);
    command.addOption(choices === undefined ? option : option.choices(choices));
  }
  for (const { flags, words } of COMMON_OPTIONS) command.addOption(new Option(flags, words));
  const examples = spec.examples.map(({ line, words }) => `  ${line}\n      ${words}`);
  command.addHelpText("after", `\n${["Examples:", ...examples].join("\n")}\n`);
  command.helpGroup(CLOUD_COMMANDS.includes(spec) ? "Commands for a control plane:" : "Commands:");
  return command.action((...given: unknown[]) => {
    // Commander hands over the arguments, then the options, then the command.
    const args = given.slice(0, -2) as (string | string[] | undefined)[];
    return action(spec, args, command.opts());
  });
}

/** What every command understands. */
export const COMMON_OPTIONS = [
  { flags: "--json", words: "print one JSON document, whose shape is in docs/cli.md" },
  { flags: "--debug", words: "show where in the program an error came from" },
] as const;

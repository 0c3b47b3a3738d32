import type { CommandSpec, OptionSpec } from "./command.js";

const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof SHELLS)[number];

export function isShell(name: string): name is Shell {
  return SHELLS.some((shell) => shell === name);
}

/** What a flag is called and what follows it. */
interface Flag {
  readonly long: string;
  readonly short: string | undefined;
  readonly takes: "nothing" | "word" | "file" | "folder" | readonly string[];
  readonly words: string;
}

/** The script that teaches a shell the commands, their options and what those take. */
export function completionScript(shell: Shell, commands: readonly CommandSpec[]): string {
  switch (shell) {
    case "bash":
      return bash(commands);
    case "zsh":
      return zsh(commands);
    case "fish":
      return fish(commands);
  }
}

const COMMON: readonly OptionSpec[] = [
  { flags: "--json", words: "print one JSON document" },
  { flags: "--debug", words: "show where in the program an error came from" },
  { flags: "-h, --help", words: "show the help" },
];

function flagsOf(spec: CommandSpec): readonly Flag[] {
  return [...spec.options, ...COMMON].map(({ flags, words, choices, completes }) => {
    const [, short, long = "", value] = /^(?:(-\w), )?(--[\w-]+)(?: (<.*>))?$/.exec(flags) ?? [];
    const takes = value === undefined ? "nothing" : (choices ?? completes ?? "word");
    return { long, short, takes, words };
  });
}

/** What the command takes besides options: words to choose from, or files. */
function takesOf({ args }: CommandSpec): readonly string[] | "file" | undefined {
  const [first] = args;
  return first === undefined ? undefined : (first.choices ?? "file");
}

function bash(commands: readonly CommandSpec[]): string {
  const cases = commands.map((spec) => {
    const flags = flagsOf(spec);
    const values = flags.flatMap(({ short, long, takes }) => {
      const names = short === undefined ? long : `${short}|${long}`;
      if (takes === "nothing") return [];
      return [`        ${names}) ${bashReply(takes)}; return ;;`];
    });
    const takes = takesOf(spec);
    return [
      `    ${spec.name})`,
      '      case "$previous" in',
      ...values,
      "      esac",
      `      if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "${flags.map(({ long }) => long).join(" ")}" -- "$current"))`,
      `      else ${takes === undefined ? ":" : bashReply(takes)}; fi ;;`,
    ].join("\n");
  });
  return `# bash completion of d2
_d2() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")} help" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
    help) COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")}" -- "$current")) ;;
${cases.join("\n")}
  esac
}
complete -o filenames -o bashdefault -F _d2 d2
`;
}

function bashReply(takes: Exclude<Flag["takes"], "nothing">): string {
  if (takes === "file") return 'COMPREPLY=($(compgen -f -- "$current"))';
  if (takes === "folder") return 'COMPREPLY=($(compgen -d -- "$current"))';
  if (takes === "word") return "COMPREPLY=()";
  return `COMPREPLY=($(compgen -W "${takes.join(" ")}" -- "$current"))`;
}

function zsh(commands: readonly CommandSpec[]): string {
  const list = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`);
  const cases = commands.map((spec) => {
    const specs = flagsOf(spec).flatMap(({ short, long, takes, words }) => {
      const text = `[${words.replaceAll(/[[\]:]/g, " ")}]`;
      const value = takes === "nothing" ? "" : `:value:${zshAction(takes)}`;
      return [long, ...(short === undefined ? [] : [short])].map(
        (name) => `      ${quote(name + text + value)}`,
      );
    });
    const takes = takesOf(spec);
    const rest = takes === undefined ? [] : [`      ${quote(`*:argument:${zshAction(takes)}`)}`];
    return [`    ${spec.name}) _arguments \\`, [...specs, ...rest].join(" \\\n"), "      ;;"].join("\n");
  });
  return `#compdef d2
_d2() {
  local -a commands
  commands=(
${list.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
    help) _describe 'command' commands ;;
${cases.join("\n")}
  esac
}
compdef _d2 d2
`;
}

function zshAction(takes: Exclude<Flag["takes"], "nothing">): string {
  if (takes === "file") return "_files";
  if (takes === "folder") return "_files -/";
  return takes === "word" ? " " : `(${takes.join(" ")})`;
}

function fish(commands: readonly CommandSpec[]): string {
  const lines = ["# fish completion of d2", "complete -c d2 -f"];
  for (const spec of commands) {
    lines.push(`complete -c d2 -n __fish_use_subcommand -a ${spec.name} -d ${quote(spec.summary)}`);
    const when = quote(`__fish_seen_subcommand_from ${spec.name}`);
    for (const { short, long, takes, words } of flagsOf(spec)) {
      const names = `-l ${long.slice(2)}${short === undefined ? "" : ` -s ${short.slice(1)}`}`;
      lines.push(`complete -c d2 -n ${when} ${names}${fishTakes(takes)} -d ${quote(words)}`);
    }
    const takes = takesOf(spec);
    if (takes === "file") lines.push(`complete -c d2 -n ${when} -F`);
    else if (takes !== undefined) lines.push(`complete -c d2 -n ${when} -a ${quote(takes.join(" "))}`);
  }
  return `${lines.join("\n")}\n`;
}

function fishTakes(takes: Flag["takes"]): string {
  switch (takes) {
    case "nothing":
      return "";
    case "word":
      return " -x";
    case "file":
      return " -r -F";
    case "folder":
      return ' -x -a "(__fish_complete_directories)"';
  }
  return ` -x -a ${quote(takes.join(" "))}`;
}

/** A word for a shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

import type { CommandSpec, OptionSpec } from "./command.js";

const POLICY: OptionSpec = {
  flags: "-p, --policy <file>",
  words: "the policy; `-` reads standard input",
  completes: "file",
};

/** The commands that work on files. */
export const LOCAL_COMMANDS: readonly CommandSpec[] = [
  {
    name: "init",
    args: [],
    summary: "find the guarded tools of a project and write a first policy for them",
    details:
      "Reads the TypeScript and JavaScript files of the project, lists every tool that is guarded, and writes a commented policy with the roles admin, developer and viewer. A file that is there is never overwritten without `--force`.",
    options: [
      { flags: "--path <folder>", words: "the project; default: the current folder", completes: "folder" },
      {
        flags: "--format <format>",
        words: "of the policy; default: as the name of the file says, else yaml",
        choices: ["yaml", "json"],
      },
      {
        flags: "--output <file>",
        words: "where it goes; default: d2/policy.yaml in your configuration folder",
        completes: "file",
      },
      { flags: "--force", words: "overwrite a file that is there" },
    ],
    examples: [
      { line: "d2 init --output policy.yaml", words: "write ./policy.yaml, to be kept with the project" },
      {
        line: "d2 init --path services/billing --json",
        words: "also list what was found, for a program to read",
      },
    ],
    load: async () => (await import("./commands/init.js")).runInit,
  },
  {
    name: "inspect",
    args: [],
    summary: "say in plain words what a policy allows",
    options: [
      POLICY,
      { flags: "-v, --verbose", words: "every rule, with its place in the file" },
      { flags: "--role <roles>", words: "only these roles, separated by commas" },
      { flags: "--user-roles <roles>", words: "what a user may do who holds all of these roles" },
      { flags: "--matrix", words: "a table of roles and tools" },
      { flags: "--published", words: "the policy that is live at the control plane, verified" },
      { flags: "--app-name <app>", words: "with --published: the app" },
    ],
    examples: [
      { line: "d2 inspect", words: "the policy of this folder" },
      { line: "d2 inspect --matrix", words: "who may call what, at one look" },
      { line: "d2 inspect --user-roles analyst,support", words: "all rules that bind one user" },
      { line: "d2 inspect --published --app-name billing", words: "what is in force, whoever published it" },
    ],
    load: async () => (await import("./commands/inspect.js")).runInspect,
  },
  {
    name: "diagnose",
    args: [],
    summary: "find what is wrong with a policy, and where it and the code part",
    details:
      "Errors and warnings with their places, how near the policy is to its limits, tools that are guarded in the code and absent from the policy or the reverse, input rules whose argument the function does not have, rules that can never fire, and what each action rule does. Ends with 1 when there is an error.",
    options: [
      POLICY,
      {
        flags: "--path <folder>",
        words: "the project whose code is read; default: the current folder",
        completes: "folder",
      },
      { flags: "--no-code", words: "look at the policy alone" },
      { flags: "--strict", words: "let warnings count as errors" },
    ],
    examples: [
      { line: "d2 diagnose", words: "the policy of this folder against the code in it" },
      { line: "d2 diagnose --policy new.yaml --no-code", words: "one file by itself" },
    ],
    load: async () => (await import("./commands/diagnose.js")).runDiagnose,
  },
  {
    name: "explain",
    args: [],
    summary: "say how a call is decided, by which rule, and what would change that",
    options: [
      POLICY,
      { flags: "--tool <tool>", words: "the tool that is called" },
      { flags: "--user <id>", words: "who calls; left out: nobody" },
      { flags: "--roles <roles>", words: "the user's roles, separated by commas" },
      {
        flags: "--args <json>",
        words: "the arguments: a mapping of names, or a list with `--params`; `-` reads standard input",
      },
      { flags: "--params <names>", words: "names of positional arguments, separated by commas" },
      {
        flags: "--history <tools>",
        words: "earlier calls of the session, separated by commas, oldest first",
      },
      { flags: "--facts <labels>", words: "labels that the session has, separated by commas" },
      {
        flags: "--output <json>",
        words: "what the function returned, to see what of it is released; `-` reads standard input",
      },
      { flags: "--values", words: "also say how far values are from their bounds" },
      { flags: "--check", words: "end with 1 when the call or its release is denied" },
    ],
    examples: [
      {
        line: "d2 explain --user ana --roles analyst --tool reports.generate --args '{\"row_limit\": 5000}'",
        words: "why 5000 rows are too many",
      },
      {
        line: "d2 explain --user bot --roles agent --tool web.post --history db.read --check",
        words: "whether it may post after it has read",
      },
    ],
    load: async () => (await import("./commands/explain.js")).runExplain,
  },
  {
    name: "test",
    args: [
      {
        name: "[files...]",
        words:
          "policy tests, or folders of them; default: every *.test.yaml, *.test.yml and *.test.json below the current folder that is one",
      },
    ],
    summary: "run the policy tests beside a policy",
    options: [
      { ...POLICY, words: "the policy that is tested, whatever the test files name" },
      { flags: "--filter <text>", words: "only tests whose name contains this" },
      { flags: "--coverage", words: "also say which rules no test touches" },
      { flags: "--min-coverage <percent>", words: "end with 1 when fewer rules are touched" },
      {
        flags: "--reporter <name>",
        words: "how the outcome is printed; default: pretty",
        choices: ["pretty", "junit", "json", "tap"],
      },
      { flags: "--watch", words: "run again whenever a policy or a test changes" },
    ],
    examples: [
      { line: "d2 test", words: "all tests below this folder" },
      { line: "d2 test --coverage --min-coverage 90", words: "and hold the coverage" },
      {
        line: "d2 test policies/billing.test.yaml --reporter junit > report.xml",
        words: "for a build server",
      },
    ],
    load: async () => (await import("./commands/test.js")).runTest,
  },
  {
    name: "replay",
    args: [
      {
        name: "<log>",
        words: "the decision log; rotated files beside it are read first; `-` reads standard input",
      },
    ],
    summary: "decide every call of a decision log again, or under another policy",
    details:
      "Verifies the log on the way. Policies are found beside the log, where its writer keeps them. Ends with 1 when the log is not whole, a decision comes out differently, or, with `--against`, another policy would change anything.",
    options: [
      {
        flags: "-p, --policy <file>",
        words: "a policy that the log was written under, where it is not kept beside",
        completes: "file",
      },
      { flags: "--against <file>", words: "say what this policy would have decided", completes: "file" },
      { flags: "--examples <number>", words: "changed calls that are listed; default: 10" },
    ],
    examples: [
      { line: "d2 replay audit.jsonl", words: "show that every decision follows from its inputs" },
      {
        line: "d2 replay audit.jsonl --against policy.next.yaml",
        words: "what the next policy would have denied",
      },
    ],
    load: async () => (await import("./commands/replay.js")).runReplay,
  },
  {
    name: "verify",
    args: [
      {
        name: "<log>",
        words: "the decision log; rotated files beside it are read first; `-` reads standard input",
      },
    ],
    summary: "check the chain, the order and the signatures of a decision log",
    options: [
      {
        flags: "--head <file>",
        words: "signed heads; default: <name>.heads.jsonl beside the log",
        completes: "file",
      },
      {
        flags: "--key <file>",
        words: "the public key of the heads, PEM; default: signatures are not looked at",
        completes: "file",
      },
    ],
    examples: [
      { line: "d2 verify audit.jsonl", words: "whether anything was changed, left out or put in" },
      {
        line: "d2 verify audit.jsonl --head kept/audit.heads.jsonl --key audit.pub.pem",
        words: "against heads that were kept elsewhere",
      },
    ],
    load: async () => (await import("./commands/verify.js")).runVerify,
  },
  {
    name: "diff",
    args: [
      { name: "<old>", words: "a policy; `-` reads standard input" },
      { name: "<new>", words: "the policy that takes its place" },
    ],
    summary: "say what a change of a policy means: who gains, who loses, what opens, what closes",
    options: [
      {
        flags: "--roles <roles>",
        words: "also compare users who hold all of these roles, separated by commas",
      },
      { flags: "--max-states <number>", words: "where the search for sequences stops" },
      {
        flags: "--fail-on <what>",
        words: "end with 1 when anything is (or may be) loosened, or when anything changes",
        choices: ["loosened", "any"],
      },
    ],
    examples: [
      { line: "d2 diff policy.yaml policy.next.yaml", words: "the change in words" },
      {
        line: "git show main:policy.yaml | d2 diff - policy.yaml --fail-on loosened",
        words: "stop a merge that opens something",
      },
    ],
    load: async () => (await import("./commands/diff.js")).runDiff,
  },
  {
    name: "analyze",
    args: [],
    summary: "prove what can never happen under a policy, or show how it can",
    details:
      "With `--from` and `--to`: can a user ever call a tool of the one after a tool of the other? Every order of calls is searched, with any arguments. Without: rules that never fire, tools that nobody can call, labels that block nothing. How it is proved, and for what: docs/analysis.md.",
    options: [
      POLICY,
      {
        flags: "--role <roles>",
        words: "a user who holds these roles, separated by commas; default: each role by itself",
      },
      { flags: "--from <tools>", words: "a tool, a pattern or an @group" },
      { flags: "--to <tools>", words: "a tool, a pattern or an @group" },
      { flags: "--max-states <number>", words: "where the search stops" },
      {
        flags: "--check",
        words:
          "end with 1 when it can happen, or the search did not finish; without a question, when anything is found",
      },
    ],
    examples: [
      { line: "d2 analyze", words: "what in the policy has no effect" },
      {
        line: "d2 analyze --from @sensitive --to @egress --check",
        words: "prove that no role can send out what it read",
      },
      {
        line: "d2 analyze --role analyst,support --from db.read --to web.post",
        words: "for one user with both roles",
      },
    ],
    load: async () => (await import("./commands/analyze.js")).runAnalyze,
  },
  {
    name: "schema",
    args: [{ name: "[of]", words: "policy (default) or tests", choices: ["policy", "tests"] }],
    summary: "print the JSON Schema of policies, or of policy tests",
    options: [],
    examples: [{ line: "d2 schema > policy.schema.json", words: "for an editor that has no network" }],
    load: async () => (await import("./commands/schema.js")).runSchema,
  },
  {
    name: "completion",
    args: [{ name: "<shell>", words: "bash, zsh or fish", choices: ["bash", "zsh", "fish"] }],
    summary: "print the completion script of a shell",
    options: [],
    examples: [
      { line: "source <(d2 completion bash)", words: "in ~/.bashrc" },
      { line: "d2 completion zsh > ~/.zfunc/_d2", words: "where `fpath` finds it" },
      { line: "d2 completion fish > ~/.config/fish/completions/d2.fish", words: "for fish" },
    ],
    load: async () => (await import("./commands/completion.js")).runCompletion,
  },
];

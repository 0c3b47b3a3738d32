import type { CommandSpec, OptionSpec } from "./command.js";

const APP: OptionSpec = {
  flags: "--app-name <app>",
  words: "the app; default: `D2_APP_NAME`, the policy's own name, then what `d2 switch` chose",
};
const URL_OPTION: OptionSpec = {
  flags: "--api-url <url>",
  words: "the control plane; default: `D2_API_URL`, then where you logged in",
};
const YES: OptionSpec = { flags: "--force", words: "do not ask" };

/** The commands that speak to a control plane. */
export const CLOUD_COMMANDS: readonly CommandSpec[] = [
  {
    name: "login",
    args: [],
    summary: "keep a token for a control plane",
    details:
      "Reads the token from standard input, or asks for it without showing it, tries it, and keeps it in your configuration folder, readable by you alone. `D2_TOKEN` wins over it, and guards never read it.",
    options: [URL_OPTION],
    examples: [{ line: "d2 login --api-url https://d2.example < token.txt", words: "from a file" }],
    load: async () => (await import("./commands/login.js")).runLogin,
  },
  {
    name: "logout",
    args: [],
    summary: "forget the token",
    options: [],
    examples: [{ line: "d2 logout", words: "on this machine; revoke it at the control plane too" }],
    load: async () => (await import("./commands/logout.js")).runLogout,
  },
  {
    name: "whoami",
    args: [],
    summary: "say whose token it is, and what it may do",
    options: [URL_OPTION],
    examples: [{ line: "D2_TOKEN=... d2 whoami", words: "of a token that is not kept" }],
    load: async () => (await import("./commands/whoami.js")).runWhoami,
  },
  {
    name: "status",
    args: [],
    summary: "show the app, what is live, and whether its signature holds",
    options: [APP, URL_OPTION],
    examples: [{ line: "d2 status --app-name billing", words: "of one app" }],
    load: async () => (await import("./commands/status.js")).runStatus,
  },
  {
    name: "switch",
    args: [{ name: "<app>", words: "an app of the account" }],
    summary: "choose the app that the other commands mean",
    options: [URL_OPTION],
    examples: [{ line: "d2 switch billing", words: "until you switch again" }],
    load: async () => (await import("./commands/switch.js")).runSwitch,
  },
  {
    name: "pull",
    args: [],
    summary: "fetch the published policy, verified, or the draft",
    options: [
      { flags: "--output <file>", words: "where it goes; default: standard output", completes: "file" },
      {
        flags: "--format <format>",
        words: "default: as the name of the file says, else yaml",
        choices: ["yaml", "json"],
      },
      APP,
      { flags: "--stage <stage>", words: "default: published", choices: ["published", "draft"] },
      { flags: "--force", words: "overwrite a file that is there" },
      URL_OPTION,
    ],
    examples: [
      { line: "d2 pull --app-name billing --output policy.yaml", words: "what is in force, to go on from" },
      { line: "d2 pull | d2 diff - policy.yaml", words: "how it differs from the file" },
    ],
    load: async () => (await import("./commands/pull.js")).runPull,
  },
  {
    name: "draft",
    args: [{ name: "[file]", words: "the policy; `-` reads standard input" }],
    summary: "keep a policy as the draft, valid or not",
    details: "An app has one draft. Ends with 1 when it could not be published as it is.",
    options: [
      { flags: "--version <number>", words: "the version that it edits; default: the live one" },
      APP,
      URL_OPTION,
    ],
    examples: [{ line: "d2 draft policy.yaml", words: "for others to look at with `d2 pull --stage draft`" }],
    load: async () => (await import("./commands/draft.js")).runDraft,
  },
  {
    name: "publish",
    args: [{ name: "[file]", words: "the policy; `-` reads standard input" }],
    summary: "validate, compare, sign and publish a policy",
    details:
      "Signs with the key of this device, which is made and registered the first time. What would change in meaning is shown before it is sent; when somebody else has published meanwhile, nothing is.",
    options: [
      { flags: "--dry-run", words: "stop after validation and comparison" },
      {
        flags: "--log <file>",
        words: "also say what would have been decided otherwise in this decision log",
        completes: "file",
      },
      {
        flags: "--force",
        words: "do not ask, and do not look whether somebody else has published; never without validation",
      },
      APP,
      URL_OPTION,
    ],
    examples: [
      { line: "d2 publish policy.yaml --dry-run --log audit.jsonl", words: "what it would mean" },
      { line: "d2 publish policy.yaml --force", words: "in a build" },
    ],
    load: async () => (await import("./commands/publish.js")).runPublish,
  },
  {
    name: "versions",
    args: [],
    summary: "list what was published",
    options: [APP, { flags: "--limit <number>", words: "how many; default: 100" }, URL_OPTION],
    examples: [{ line: "d2 versions", words: "newest first" }],
    load: async () => (await import("./commands/versions.js")).runVersions,
  },
  {
    name: "rollback",
    args: [{ name: "<version>", words: "the version to go back to" }],
    summary: "publish an older version again, as the newest one",
    options: [APP, YES, URL_OPTION],
    examples: [{ line: "d2 rollback 3", words: "the content of version 3" }],
    load: async () => (await import("./commands/rollback.js")).runRollback,
  },
  {
    name: "revoke",
    args: [],
    summary: "stop every program that runs under the policy",
    details:
      "Programs deny everything from their next poll on. Publishing a newer version, or a rollback, brings them back.",
    options: [APP, YES, URL_OPTION],
    examples: [{ line: "d2 revoke --app-name billing --force", words: "at once" }],
    load: async () => (await import("./commands/revoke.js")).runRevoke,
  },
  {
    name: "events",
    args: [],
    summary: "list or follow what was called and denied",
    options: [
      APP,
      { flags: "--follow", words: "go on with what comes in; with --json an event a line" },
      { flags: "--limit <number>", words: "how many; default: 50" },
      { flags: "--result <result>", words: "`allowed` or `denied`" },
      { flags: "--reason <code>", words: "one reason code" },
      { flags: "--tool <tool>", words: "one tool" },
      { flags: "--user <id>", words: "one user" },
      { flags: "--type <type>", words: "one kind of event" },
      { flags: "--from <time>", words: "RFC 3339, inclusive" },
      { flags: "--to <time>", words: "RFC 3339, exclusive" },
      URL_OPTION,
    ],
    examples: [{ line: "d2 events --result denied --follow", words: "who is denied what, as it happens" }],
    load: async () => (await import("./commands/events.js")).runEvents,
  },
  {
    name: "keys",
    args: [],
    summary: "list the keys that may publish",
    options: [URL_OPTION],
    examples: [{ line: "d2 keys", words: "taking one away is for an admin token: `DELETE /v1/keys/<id>`" }],
    load: async () => (await import("./commands/keys.js")).runKeys,
  },
];

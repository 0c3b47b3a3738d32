import type { CommandSpec } from "./command.js";

const NEEDS = "cloud mode, which is not part of this version";

/** The commands that speak to a control plane. Their place in the help; they say that they are not there. */
export const CLOUD_COMMANDS: readonly CommandSpec[] = (
  [
    ["login", "keep a token for a control plane"],
    ["logout", "forget it"],
    ["whoami", "say whose token it is, and what it may do"],
    ["status", "show the app, the live policy and the keys"],
    ["switch", "choose the app that the other commands mean"],
    ["pull", "fetch the published policy or the draft, and verify it"],
    ["draft", "keep a policy as the draft"],
    ["publish", "validate, compare, sign and publish a policy"],
    ["versions", "list what was published"],
    ["rollback", "publish an older version again"],
    ["revoke", "stop every app that runs under the policy"],
    ["events", "list or follow what was called and denied"],
    ["keys", "list the keys that may publish"],
  ] as const
).map(([name, summary]) => ({
  name,
  args: [],
  summary,
  options: [],
  examples: [],
  unavailable: NEEDS,
  load: async () => {
    const { UsageError } = await import("./usage-error.js");
    throw new UsageError(
      `\`d2 ${name}\` needs ${NEEDS}: policies are files here, see \`d2 --help\` for what works on them`,
    );
  },
}));
